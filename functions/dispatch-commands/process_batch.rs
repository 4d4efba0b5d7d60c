//! Processes one batch: claims it, does its actions, writes its progress.
//!
//! # What is still sent after a fleet command was stopped
//!
//! The command is read once after a batch was claimed. An invocation that reads it after the pause or cancel was
//! written sends nothing. One that has read it before sends its batch to the end. At most one batch per record that an
//! invocation holds can be in that state, and each shard has as many invocations as its event source mapping allows:
//!
//! > shards of the commands' stream x `ParallelizationFactor` x `BatchSize` x [`Batch::MAX_SIZE`]
//!
//! With the template's 10 and 10 that is 10,000 things per shard, for a fleet of any size. Things that the rollout has
//! not released are never among them. An abort criterion is applied once an ended execution is counted, about a second
//! after its row was written. `tests/fleet/abort.rs` measures it.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::Arc,
};

use aws::Error;
use domain::{Batch, BatchNumber, BatchProgress, Command, CommandId, ThingName, Timestamp, fleet::BatchActions};

use super::{batch_claim::ClaimedBatch, dispatcher::Dispatcher, summary::Summary};

impl Dispatcher {
    /// Claims a batch and does its actions; nothing if there is nothing to do or another invocation has the claim.
    pub async fn process(self: &Arc<Self>, id: &CommandId, number: BatchNumber) -> Result<Summary, Error> {
        // Lambda may handle one event twice at the same time: with the request id alone, both would take a claim for
        // their own.
        let token = format!("{}/{:x}", self.token, RandomState::new().build_hasher().finish());
        let Some(claimed) = self.claim(id, number, &token).await? else { return Ok(Summary::default()) };
        // The command is read after the claim: a change of control that is written after this read finds the batch
        // claimed.
        let Some(command) = self.clients.commands.get(id).await? else {
            tracing::error!(command = %id, number, "a batch has no command: it is left to the reconciler");
            return Ok(Summary::default());
        };
        let (progress, summary) = self.do_actions(&Arc::new(command), &claimed).await?;
        self.write_progress(&claimed.batch, &token, &progress).await?;
        if progress.held {
            self.end_missed_hold(id, number).await?;
        }
        Ok(summary)
    }

    async fn do_actions(
        self: &Arc<Self>,
        command: &Arc<Command>,
        claimed: &ClaimedBatch,
    ) -> Result<(BatchProgress, Summary), Error> {
        let ClaimedBatch { batch, may_have_executions } = claimed;
        let actions = batch.actions(&command.control, *may_have_executions, self.now());
        let mut progress = BatchProgress {
            held: actions.hold,
            canceled_generation: actions.record_cancel.then_some(command.control.generation),
            ..BatchProgress::default()
        };
        let mut summary = Summary { batches: 1, ..Summary::default() };
        let mut recheck_at = None;
        if actions.needs_things() {
            let things = self.read_things(command, batch).await?;
            recheck_at = self.look_at_executions(command, actions, &things, &mut summary).await?;
            if actions.send {
                self.send(command, batch, &things, &mut progress, &mut summary).await;
            }
        }
        progress.monitor_at = batch.monitor_after(command, actions, *may_have_executions, recheck_at, self.now());
        Ok((progress, summary))
    }

    /// Cancels or monitors the executions of a batch, if one of the actions is that.
    async fn look_at_executions(
        self: &Arc<Self>,
        command: &Arc<Command>,
        actions: BatchActions,
        things: &[ThingName],
        summary: &mut Summary,
    ) -> Result<Option<Timestamp>, Error> {
        if actions.cancel_executions {
            self.cancel_executions(command, things, summary).await
        } else if actions.monitor {
            self.monitor_executions(command, things, summary).await
        } else {
            Ok(None)
        }
    }

    async fn read_things(&self, command: &Command, batch: &Batch) -> Result<Vec<ThingName>, Error> {
        let things = self.clients.fleets.things(&command.id, batch.number).await?;
        let of_batch = || format!("batch {} of command {}", batch.number, command.id);
        things.ok_or_else(|| Error::missing("the list of things", of_batch()))
    }
}
