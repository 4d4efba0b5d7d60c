//! Asynchronous events of a function: queue, retries, throttling, and the on-failure destination.

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

/// Wait before the first retry; the second one waits twice as long (Lambda developer guide, "Asynchronous invocation").
const RETRY_WAIT: Duration = Duration::from_secs(60);
/// Wait before the first retry of a throttled event; doubles with each retry, up to [`MAX_THROTTLE_WAIT`].
const THROTTLE_WAIT: Duration = Duration::from_secs(1);
const MAX_THROTTLE_WAIT: Duration = Duration::from_secs(300);

/// A queued event. All its attempts have the same request id.
pub(super) struct Event {
    pub id: String,
    pub payload: Bytes,
    accepted_ms: i64,
    pub attempts: u32,
    throttles: u32,
    /// Outcome of the last attempt.
    pub last: Option<InvokeOutcome>,
    busy: Busy,
}

impl Event {
    pub fn new(id: String, payload: Bytes, accepted_ms: i64, busy: Busy) -> Self {
        Self { id, payload, accepted_ms, attempts: 0, throttles: 0, last: None, busy }
    }

    /// Waits for the clock; the event does not count as activity until then.
    pub async fn sleep_until(&mut self, due_ms: i64) {
        self.busy.sleep_until(due_ms).await;
    }
}

/// The event queue of one function.
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

    /// Starts events in order of arrival as permits become available.
    ///
    /// AWS Lambda polls its queue and backs off when the function throttles. The local queue waits for a permit
    /// instead, so that only a function with reserved concurrency 0 throttles its events.
    async fn dispatch(self, mut ready: mpsc::UnboundedReceiver<Event>) {
        while let Some(event) = ready.recv().await {
            if self.pool.function.concurrency == Some(0) {
                self.retry_throttled(event);
                continue;
            }
            let Some(permit) = self.pool.permit().await else { return };
            let events = self.clone();
            tokio::spawn(async move { events.attempt(event, permit).await });
        }
    }

    async fn attempt(self, mut event: Event, permit: Permit) {
        if self.expired(&event) {
            return self.discard(event, Condition::EventAgeExceeded);
        }
        let outcome = self.pool.run(&event.busy, &event.id, event.payload.clone(), permit).await;
        event.attempts += 1;
        if outcome.error.is_none() {
            return;
        }
        let report = String::from_utf8_lossy(&outcome.payload);
        tracing::warn!(
            function = self.pool.function.name,
            event = event.id,
            attempt = event.attempts,
            "attempt failed: {report}"
        );
        event.last = Some(outcome);
        if event.attempts > u32::from(self.pool.function.retries) {
            return self.discard(event, Condition::RetriesExhausted);
        }
        let wait = RETRY_WAIT * event.attempts;
        self.retry(event, wait);
    }

    fn retry_throttled(&self, mut event: Event) {
        if self.expired(&event) {
            return self.discard(event, Condition::EventAgeExceeded);
        }
        let wait = THROTTLE_WAIT.saturating_mul(1 << event.throttles.min(16)).min(MAX_THROTTLE_WAIT);
        event.throttles += 1;
        self.retry(event, wait);
    }

    /// Queues the event again after the wait, or at its expiry if that is earlier.
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

    fn discard(&self, event: Event, condition: Condition) {
        let Function { name, arn, on_failure, .. } = &self.pool.function;
        tracing::error!(function = name, event = event.id, attempts = event.attempts, ?condition, "event discarded");
        let Some(queue) = on_failure else { return };
        if !self.sqs.send(queue, destination::record(&event, arn, condition, self.clock.now_ms())) {
            tracing::error!(
                function = name,
                event = event.id,
                queue,
                "the on-failure queue does not exist: the event is lost"
            );
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
