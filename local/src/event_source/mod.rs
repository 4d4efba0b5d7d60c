//! Lambda's event source mappings: what lies on a queue is handed to its function, on the stack's clock.

mod batch;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::clock::Clock;
use crate::lambda::Lambda;
use crate::sqs::Sqs;
use crate::template::{EventSource, Place};

/// A handle on the mappings; clones share it. They stop with its last clone.
#[derive(Clone)]
pub struct EventSources(Arc<Inner>);

struct Inner {
    clock: Clock,
    sqs: Sqs,
    pollers: Vec<(EventSource, watch::Receiver<Progress>)>,
    _stop: DropGuard,
}

/// What a poller has done so far, and whether it is about to do more.
#[derive(Clone, Copy, Default)]
struct Progress {
    busy: bool,
    batches: u64,
}

impl EventSources {
    /// Starts a poller for each: one batch at a time, in the order in which messages become visible.
    pub fn start(clock: Clock, lambda: Lambda, sqs: Sqs, sources: Vec<EventSource>, place: Place) -> Self {
        let stop = CancellationToken::new();
        let poll = |source: EventSource| {
            let (progress, watched) = watch::channel(Progress::default());
            let poller = Poller {
                clock: clock.clone(),
                lambda: lambda.clone(),
                sqs: sqs.clone(),
                source: source.clone(),
                region: place.region.clone(),
                progress,
            };
            tokio::spawn(stop.clone().run_until_cancelled_owned(poller.run()));
            (source, watched)
        };
        let pollers = sources.into_iter().map(poll).collect();
        Self(Arc::new(Inner { clock, sqs, pollers, _stop: stop.drop_guard() }))
    }

    /// Returns once everything that is visible at the clock's present time has been handed over, and its function is done
    /// with it; how many batches that makes since the start.
    pub async fn caught_up(&self) -> u64 {
        let mut batches = 0;
        for (source, progress) in &self.0.pollers {
            // A message that nobody has taken yet is found on the queue, one that is being handed over by its poller.
            let still = |progress: &Progress| !progress.busy && !self.has_something(source);
            // A poller goes only when all of this goes.
            batches += progress.clone().wait_for(still).await.map_or(0, |progress| progress.batches);
        }
        batches
    }

    /// When there is something to hand over next.
    pub fn next_ms(&self) -> Option<i64> {
        self.0.pollers.iter().filter_map(|(source, _)| self.0.sqs.next_visible_ms(&source.queue_arn)).min()
    }

    fn has_something(&self, source: &EventSource) -> bool {
        self.0.sqs.next_visible_ms(&source.queue_arn).is_some_and(|visible_ms| visible_ms <= self.0.clock.now_ms())
    }
}

struct Poller {
    clock: Clock,
    lambda: Lambda,
    sqs: Sqs,
    source: EventSource,
    region: String,
    progress: watch::Sender<Progress>,
}

impl Poller {
    async fn run(self) {
        let mut arrivals = self.sqs.arrivals();
        loop {
            arrivals.mark_unchanged();
            let visible_ms = self.sqs.next_visible_ms(&self.source.queue_arn).unwrap_or(i64::MAX);
            if visible_ms <= self.clock.now_ms() {
                self.progress.send_modify(|progress| progress.busy = true);
                self.hand_over().await;
                self.progress
                    .send_modify(|progress| *progress = Progress { busy: false, batches: progress.batches + 1 });
                continue;
            }
            tokio::select! {
                () = self.clock.sleep_until(visible_ms) => {}
                _ = arrivals.changed() => {}
            }
        }
    }

    /// What its function has not done stays hidden, and comes again when the queue shows it again.
    async fn hand_over(&self) {
        let EventSource { queue_arn, function_arn, batch_size, partial_failures } = &self.source;
        let messages = self.sqs.receive(queue_arn, *batch_size, None).unwrap_or_default();
        if messages.is_empty() {
            return;
        }
        let event = batch::event(&self.sqs, &messages, queue_arn, &self.region);
        let failed = match self.lambda.invoke(function_arn, event.into()).await {
            Ok(outcome) => batch::failed(&outcome, *partial_failures, &messages),
            Err(error) => {
                tracing::warn!(queue = queue_arn, "a batch was not taken: {error}");
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
