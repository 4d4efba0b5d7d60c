//! The conditional writes around the processing of a batch: its claim, its progress, and the end of a missed hold.

use aws::Error;
use domain::{Batch, BatchNumber, BatchProgress, CommandId, Wake};

use super::dispatcher::Dispatcher;
use runtime::conflict::ConflictRetries;

/// A batch that this invocation has claimed.
#[derive(Debug)]
pub struct ClaimedBatch {
    pub batch: Batch,
    /// Whether executions of the batch may have been stored before the claim.
    pub may_have_executions: bool,
}

impl Dispatcher {
    /// Claims a batch; none if there is nothing to do, or another invocation has the claim.
    pub(super) async fn claim(
        &self,
        id: &CommandId,
        number: BatchNumber,
        token: &str,
    ) -> Result<Option<ClaimedBatch>, Error> {
        let mut retries = ConflictRetries::new("claiming a batch", format!("{id}/{number}"));
        let mut may_have_executions = false;
        loop {
            let Some(batch) = self.clients.fleets.batch(id, number).await? else { return Ok(None) };
            // The claim was written by the previous try, whose answer was lost.
            if batch.is_claimed_by(token) {
                return Ok(Some(ClaimedBatch { batch, may_have_executions }));
            }
            may_have_executions = batch.may_have_executions();
            let Some(claimed) = batch.claim(self.now(), token) else { return Ok(None) };
            if self.clients.fleets.write_batch(&claimed).await? {
                return Ok(Some(ClaimedBatch { batch: claimed, may_have_executions }));
            }
            retries.wait().await?;
        }
    }

    /// Writes what was done for a claimed batch. A release or a wake-up that was written meanwhile is kept.
    pub(super) async fn write_progress(
        &self,
        claimed: &Batch,
        token: &str,
        progress: &BatchProgress,
    ) -> Result<(), Error> {
        let key = format!("{}/{}", claimed.command, claimed.number);
        let mut retries = ConflictRetries::new("writing the progress of a batch", key);
        let mut batch = claimed.clone();
        loop {
            let next = batch.with_progress(progress, self.now());
            if self.clients.fleets.write_batch(&next).await? {
                self.wake_at_due(&next).await;
                return Ok(());
            }
            match self.clients.fleets.batch(&batch.command, batch.number).await? {
                Some(current) if current.is_claimed_by(token) => batch = current,
                // The progress was written and its answer lost, or the claim has ended and another invocation has one.
                _ => return Ok(()),
            }
            retries.wait().await?;
        }
    }

    /// Sends the wake of a batch whose executions have to be looked at, or sent again, soon.
    async fn wake_at_due(&self, batch: &Batch) {
        // One that was marked ready during the claim is processed again at once.
        if let Some(at) = batch.due_at.filter(|_| !batch.ready) {
            let wake = Wake::Batch { command: batch.command.clone(), number: batch.number, at };
            self.clients.wakes.send_within_horizon(wake, self.clock).await;
        }
    }

    /// Wakes a batch again that was put on hold, if its command was resumed before the hold was written.
    pub(super) async fn end_missed_hold(&self, id: &CommandId, number: BatchNumber) -> Result<(), Error> {
        let Some(command) = self.clients.commands.get(id).await? else { return Ok(()) };
        if command.control.is_paused() {
            return Ok(());
        }
        let mut retries = ConflictRetries::new("ending the hold of a batch", format!("{id}/{number}"));
        loop {
            let Some(batch) = self.clients.fleets.batch(id, number).await? else { return Ok(()) };
            let Some(ready) = batch.mark_ready_after_hold(&command.control, self.now()) else { return Ok(()) };
            if self.clients.fleets.write_batch(&ready).await? {
                return Ok(());
            }
            retries.wait().await?;
        }
    }
}
