//! Sends wakes: delayed messages on the queue of ticks, so that what is due does not wait for the next tick.

use aws::{Delayed, Error, Queue};
use domain::{Timestamp, Wake, wake::horizon::is_woken_by_writer};

use crate::event_clock::EventClock;
use crate::handler_error::chain;
use crate::metrics;
use crate::wake_requests::WakeRequests;

/// The queue of ticks.
#[derive(Clone, Debug)]
pub struct Wakes {
    queue: Queue,
    requests: WakeRequests,
}

impl Wakes {
    /// Wakes on this queue.
    pub fn new(queue: Queue) -> Self {
        Self { queue, requests: WakeRequests::new() }
    }

    /// Sends wakes. Best effort: one that is not sent is logged and counted, and the next tick does its work.
    pub async fn send(&self, wakes: &[Wake], clock: EventClock) {
        if let Err(error) = self.try_send(wakes, clock).await {
            tracing::warn!(error = chain(&error), "wakes could not be sent: their work waits for the next tick");
            metrics::count(clock.now(), &[("WakesUnsent", u64::try_from(wakes.len()).unwrap_or(u64::MAX))], &[]);
        }
    }

    /// Sends a wake if its writer has to: see [`domain::wake::horizon`]. Those of parallel work share their requests.
    pub async fn send_within_horizon(&self, wake: Wake, clock: EventClock) {
        if is_woken_by_writer(wake.at().as_seconds_rounded_up(), clock.now()) {
            let send = |wakes: Vec<Wake>| async move { self.send(&wakes, clock).await };
            self.requests.send(wake, Queue::MAX_MESSAGES, send).await;
        }
    }

    /// Sends wakes. One that fails does not stop the others.
    ///
    /// # Errors
    /// The first failure of a request or of a message.
    pub async fn try_send(&self, wakes: &[Wake], clock: EventClock) -> Result<(), Error> {
        let message = |wake: &Wake| Delayed { seconds: delay_seconds(wake.at(), clock), body: wake.to_message() };
        self.queue.send(&wakes.iter().map(message).collect::<Vec<_>>()).await
    }
}

/// The delay of a message that has to arrive at `at`.
fn delay_seconds(at: Timestamp, clock: EventClock) -> u16 {
    u16::try_from(clock.seconds_until(at)).unwrap_or(u16::MAX).min(Delayed::MAX_SECONDS)
}
