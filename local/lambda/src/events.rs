//! Asynchronous events: accepted at once, run when there is room, tried again, and given up on.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use local_clock::Clock;
use local_journal::InvokeOutcome;
use local_sqs::Sqs;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Function;
use super::activity::Busy;
use super::destination::{self, Condition};
use super::pool::{Permit, Pool};

/// Lambda waits one minute before the first retry and two before the second.
const RETRY_WAIT: Duration = Duration::from_secs(60);
/// A throttled event is tried again after one second, then twice that, and so on up to five minutes.
const THROTTLE_WAIT: Duration = Duration::from_secs(1);
const LONGEST_THROTTLE_WAIT: Duration = Duration::from_secs(300);

/// An event on its way. It has one request id, however often it is tried.
pub(super) struct Event {
    pub id: String,
    pub payload: Bytes,
    accepted_ms: i64,
    pub attempts: u32,
    throttles: u32,
    /// How the last attempt ended.
    pub last: Option<InvokeOutcome>,
    busy: Busy,
}

impl Event {
    pub fn new(id: String, payload: Bytes, accepted_ms: i64, busy: Busy) -> Self {
        Self { id, payload, accepted_ms, attempts: 0, throttles: 0, last: None, busy }
    }

    /// Waits for the clock; until then the event does not count as work.
    pub async fn sleep_until(&mut self, due_ms: i64) {
        self.busy.sleep_until(due_ms).await;
    }
}

/// The queue of one function.
#[derive(Clone)]
pub(super) struct Events {
    clock: Clock,
    pool: Arc<Pool>,
    sqs: Sqs,
    stop: CancellationToken,
    queue: mpsc::UnboundedSender<Event>,
}

impl Events {
    pub fn start(clock: Clock, pool: Arc<Pool>, sqs: Sqs, stop: CancellationToken) -> mpsc::UnboundedSender<Event> {
        let (queue, ready) = mpsc::unbounded_channel();
        let events = Self { clock, pool, sqs, stop, queue: queue.clone() };
        tokio::spawn(async move {
            let stop = events.stop.clone();
            tokio::select! {
                () = stop.cancelled() => {}
                () = events.dispatch(ready) => {}
            }
        });
        queue
    }

    /// Starts events in the order in which they came, as permits become free.
    ///
    /// Real Lambda polls its own queue and slows down when the function throttles. Here the queue knows when a permit is
    /// free, so only a function that may not run at all (concurrency 0) throttles its events.
    async fn dispatch(self, mut ready: mpsc::UnboundedReceiver<Event>) {
        while let Some(event) = ready.recv().await {
            if self.pool.function.concurrency == Some(0) {
                self.throttled(event);
                continue;
            }
            let Some(permit) = self.pool.permit().await else { return };
            let events = self.clone();
            tokio::spawn(async move { events.attempt(event, permit).await });
        }
    }

    async fn attempt(self, mut event: Event, permit: Permit) {
        if self.expired(&event) {
            return self.give_up(event, Condition::EventAgeExceeded);
        }
        let outcome = self.pool.run(&event.id, event.payload.clone(), permit).await;
        event.attempts += 1;
        if outcome.error.is_none() {
            return;
        }
        let said = String::from_utf8_lossy(&outcome.payload);
        tracing::warn!(
            function = self.pool.function.name,
            event = event.id,
            attempt = event.attempts,
            "failed: {said}"
        );
        event.last = Some(outcome);
        if event.attempts > u32::from(self.pool.function.retries) {
            return self.give_up(event, Condition::RetriesExhausted);
        }
        let wait = RETRY_WAIT * event.attempts;
        self.retry(event, wait);
    }

    fn throttled(&self, mut event: Event) {
        if self.expired(&event) {
            return self.give_up(event, Condition::EventAgeExceeded);
        }
        let wait = THROTTLE_WAIT.saturating_mul(1 << event.throttles.min(16)).min(LONGEST_THROTTLE_WAIT);
        event.throttles += 1;
        self.retry(event, wait);
    }

    /// Puts the event back on the queue after the wait, or as soon as it is too old.
    fn retry(&self, mut event: Event, wait: Duration) {
        let due = self.clock.now_ms().saturating_add(millis(wait)).min(self.expiry(&event).saturating_add(1));
        let events = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = events.stop.cancelled() => {}
                () = event.sleep_until(due) => drop(events.queue.send(event)),
            }
        });
    }

    fn give_up(&self, event: Event, condition: Condition) {
        let Function { name, arn, on_failure, .. } = &self.pool.function;
        tracing::error!(function = name, event = event.id, attempts = event.attempts, ?condition, "event given up");
        let Some(queue) = on_failure else { return };
        if !self.sqs.send(queue, destination::record(&event, arn, condition, self.clock.now_ms())) {
            tracing::error!(function = name, event = event.id, queue, "no such queue: the event is lost");
        }
    }

    fn expired(&self, event: &Event) -> bool {
        self.clock.now_ms() > self.expiry(event)
    }

    fn expiry(&self, event: &Event) -> i64 {
        event.accepted_ms.saturating_add(millis(self.pool.function.event_age))
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
