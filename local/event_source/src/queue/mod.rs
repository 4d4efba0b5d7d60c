//! Event source mappings of SQS queues: pollers that pass messages to functions, on the stack's clock.

mod batch;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use local_clock::Clock;
use local_lambda::Lambda;
use local_resources::{EventSource, Place};
use local_sqs::{Message, Sqs};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

/// A handle on the mappings; clones share it. They stop with its last clone.
#[derive(Clone)]
pub struct QueueMappings(Arc<Inner>);

struct Inner {
    clock: Clock,
    sqs: Sqs,
    pollers: Vec<(EventSource, watch::Receiver<PollerState>)>,
    _stop: DropGuard,
}

/// What a poller does.
#[derive(Clone, Copy, Default)]
struct PollerState {
    /// Number of batches that are with the function.
    busy: usize,
    /// Number of batches since the start.
    batches: u64,
}

impl QueueMappings {
    /// Starts one poller for each mapping: batches in the order in which messages become visible, and as many at a time as
    /// the mapping allows.
    pub fn start(clock: Clock, lambda: Lambda, sqs: Sqs, sources: Vec<EventSource>, place: Place) -> Self {
        let stop = CancellationToken::new();
        let poll = |source: EventSource| {
            let (state, watched) = watch::channel(PollerState::default());
            let permits = Arc::new(Semaphore::new(source.max_concurrency));
            let poller = Poller {
                clock: clock.clone(),
                lambda: lambda.clone(),
                sqs: sqs.clone(),
                source: source.clone(),
                region: place.region.clone(),
                state,
                permits,
                stop: stop.clone(),
            };
            tokio::spawn(stop.clone().run_until_cancelled_owned(Arc::new(poller).run()));
            (source, watched)
        };
        let pollers = sources.into_iter().map(poll).collect();
        Self(Arc::new(Inner { clock, sqs, pollers, _stop: stop.drop_guard() }))
    }

    /// Returns once every message that is visible at the clock's present time has been passed to its function, and the
    /// function has ended; returns the number of batches since the start.
    pub async fn caught_up(&self) -> u64 {
        let mut batches = 0;
        for (source, state) in &self.0.pollers {
            // A message is either visible on the queue, or in a batch that is with the function.
            let is_idle = |state: &PollerState| state.busy == 0 && !self.has_visible_message(source);
            // A poller ends only with this handle.
            batches += state.clone().wait_for(is_idle).await.map_or(0, |state| state.batches);
        }
        batches
    }

    /// What [`QueueMappings::caught_up`] waits for now, one line each; and each poller that has ended by a panic.
    pub fn pending(&self) -> Vec<String> {
        let mut pending = Vec::new();
        for (source, state) in &self.0.pollers {
            let EventSource { queue_arn, function_arn, .. } = source;
            let busy = state.borrow().busy;
            if busy > 0 {
                pending.push(format!("{busy} batches of {queue_arn} are with {function_arn}"));
            } else if self.has_visible_message(source) {
                pending.push(format!("a message of {queue_arn} is visible, and not passed to {function_arn} yet"));
            }
            // The state's sender is the poller's.
            if state.has_changed().is_err() {
                pending.push(format!("the poller of {queue_arn} has panicked"));
            }
        }
        pending
    }

    /// Time at which the next message is visible, in milliseconds since 1970; it can be in the past.
    pub fn next_ms(&self) -> Option<i64> {
        self.0.pollers.iter().filter_map(|(source, _)| self.0.sqs.next_visible_ms(&source.queue_arn)).min()
    }

    fn has_visible_message(&self, source: &EventSource) -> bool {
        self.0.sqs.next_visible_ms(&source.queue_arn).is_some_and(|visible_ms| visible_ms <= self.0.clock.now_ms())
    }
}

struct Poller {
    clock: Clock,
    lambda: Lambda,
    sqs: Sqs,
    source: EventSource,
    region: String,
    state: watch::Sender<PollerState>,
    /// One for each batch that may be with the function.
    permits: Arc<Semaphore>,
    stop: CancellationToken,
}

impl Poller {
    async fn run(self: Arc<Self>) {
        let mut arrivals = self.sqs.arrivals();
        loop {
            arrivals.mark_unchanged();
            let visible_ms = self.sqs.next_visible_ms(&self.source.queue_arn).unwrap_or(i64::MAX);
            if visible_ms <= self.clock.now_ms() {
                // The semaphore is never closed, so there always is a permit.
                let Ok(permit) = self.permits.clone().acquire_owned().await else { return };
                self.take_batch(permit);
                continue;
            }
            tokio::select! {
                () = self.clock.sleep_until(visible_ms) => {}
                _ = arrivals.changed() => {}
            }
        }
    }

    /// Takes a batch from the queue, and passes it to the function in a task of its own.
    fn take_batch(self: &Arc<Self>, permit: OwnedSemaphorePermit) {
        // Before the messages are taken, so that they never are neither visible nor in a batch.
        let batch = BatchInHand::new(self.clone(), permit);
        let messages = self.sqs.receive(&self.source.queue_arn, self.source.batch_size, None).unwrap_or_default();
        tokio::spawn(self.stop.clone().run_until_cancelled_owned(async move {
            batch.poller.deliver(messages).await;
        }));
    }

    /// Passes one batch to the function. Messages that failed stay hidden until their visibility timeout.
    async fn deliver(&self, messages: Vec<Message>) {
        let EventSource { queue_arn, function_arn, partial_failures, .. } = &self.source;
        if messages.is_empty() {
            return;
        }
        let event = batch::event(&self.sqs, &messages, queue_arn, &self.region);
        let failed = match self.lambda.invoke(function_arn, event.into()).await {
            Ok(outcome) => batch::failed(&outcome, *partial_failures, &messages),
            Err(error) => {
                tracing::warn!(queue = queue_arn, "the function did not accept a batch: {error}");
                return;
            }
        };
        for message in messages.iter().filter(|message| !failed.contains(&message.id)) {
            self.sqs.delete(queue_arn, &message.receipt);
        }
        if !failed.is_empty() {
            tracing::warn!(
                queue = queue_arn,
                failed = failed.len(),
                of = messages.len(),
                "messages stay on their queue"
            );
        }
    }
}

/// A batch that is with the function, until it is dropped.
struct BatchInHand {
    poller: Arc<Poller>,
    _permit: OwnedSemaphorePermit,
}

impl BatchInHand {
    fn new(poller: Arc<Poller>, _permit: OwnedSemaphorePermit) -> Self {
        poller.state.send_modify(|state| state.busy += 1);
        Self { poller, _permit }
    }
}

impl Drop for BatchInHand {
    fn drop(&mut self) {
        self.poller.state.send_modify(|state| {
            *state = PollerState { busy: state.busy - 1, batches: state.batches + 1 };
        });
    }
}
