//! Stores and sends the executions of a batch, many at once.

use std::{collections::BTreeSet, sync::Arc};

use aws::Error;
use domain::{Batch, BatchProgress, Channel, Command, ThingName};
use tokio::task::{JoinError, JoinSet};

use super::{dispatcher::Dispatcher, summary::Summary};
use driver::batch_thing::{Load, ThingOutcome};
use runtime::handler_error::chain;

/// No execution starts when the invocation has run for more than this many seconds. Those that have started end before
/// the claim of the batch does.
const START_CUTOFF_SECONDS: u32 = 35;

type StartResult = Result<(u16, Result<ThingOutcome, Error>), JoinError>;

impl Dispatcher {
    /// Stores and sends the unsent things of a batch, in the order of their places.
    pub(super) async fn send(
        self: &Arc<Self>,
        command: &Arc<Command>,
        batch: &Batch,
        things: &[ThingName],
        progress: &mut BatchProgress,
        summary: &mut Summary,
    ) {
        let channel = Channel::of(command, None);
        let mut tasks = JoinSet::new();
        // A place stays here if its task fails or panics: then it is tried again.
        let mut open = BTreeSet::new();
        let mut done = batch.done;
        for place in batch.unsent_places() {
            let Some(thing) = things.get(usize::from(place)) else { continue };
            let permit = self.throttle.enter().await;
            if self.clock.elapsed_seconds() > START_CUTOFF_SECONDS {
                // Places from `done` on follow with the next claim.
                progress.retry_places.extend((place < batch.done).then_some(place));
                continue;
            }
            done = done.max(place + 1);
            open.insert(place);
            let (dispatcher, command, thing, channel) = (self.clone(), command.clone(), thing.clone(), channel.clone());
            let number = batch.number;
            tasks.spawn(async move {
                let outcome = dispatcher.driver().start_in_batch(&command, number, &thing, channel).await;
                drop(permit);
                (place, outcome)
            });
            while let Some(result) = tasks.try_join_next() {
                self.note_start(result, &mut open, summary);
            }
        }
        while let Some(result) = tasks.join_next().await {
            self.note_start(result, &mut open, summary);
        }
        progress.retry_places.extend(open);
        progress.retry_places.sort_unstable();
        progress.done = Some(done);
    }

    fn note_start(&self, result: StartResult, open: &mut BTreeSet<u16>, summary: &mut Summary) {
        match result {
            Ok((place, Ok(ThingOutcome::Stored(load)))) => {
                open.remove(&place);
                summary.stored += 1;
                self.throttle.count(load);
            }
            Ok((place, Ok(ThingOutcome::Duplicate))) => {
                open.remove(&place);
                summary.duplicates += 1;
            }
            Ok((place, Err(error))) => {
                tracing::warn!(
                    error = chain(&error),
                    place,
                    "a thing of a batch could not be started: it is tried again"
                );
                // A missing answer may be a sign of too many requests as well.
                if error.is_retryable() {
                    self.throttle.count(Load::Throttled);
                }
                summary.failed += 1;
            }
            Err(error) => tracing::error!(%error, "the task of a thing panicked: it is tried again"),
        }
    }
}
