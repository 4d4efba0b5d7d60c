//! Releases things batch by batch, the last batch in part, and finds out what is released when the schedule has ended.

use aws::Error;
use domain::{
    Command, Fleet, Plan,
    fleet::{ReleasePosition, RolloutStep},
};

use super::planner::{Planner, StepOutcome, step_wakes};
use runtime::conflict::ConflictRetries;

impl Planner<'_> {
    /// Releases batches until `step.released` things are released, and records that in the plan.
    pub async fn release(
        &self,
        command: &Command,
        fleet: &Fleet,
        plan: &Plan,
        step: &RolloutStep,
    ) -> Result<StepOutcome, Error> {
        let mut position = plan.release_position;
        while position.batch < plan.batches {
            let things = self.release_batch(command, position, step.released).await?;
            let next = position.after_batch(things);
            if next.before > step.released {
                break;
            }
            position = next;
        }
        let (next, wakes) = plan.released(fleet, step, position, self.now());
        self.write_with_wakes(next, &step_wakes(command, &wakes)).await
    }

    /// Closes the plan. Batches that were released by an invocation that crashed before it wrote the plan are recorded
    /// first.
    pub async fn close(&self, command: &Command, plan: &Plan, note: String) -> Result<StepOutcome, Error> {
        let mut position = plan.release_position;
        let mut released = plan.progress.released;
        while let Some(batch) = self.clients.fleets.batch(&command.id, position.batch).await? {
            released = released.max(position.released_with(&batch));
            if batch.allowed < batch.things {
                break;
            }
            position = position.after_batch(batch.things);
        }
        let next = plan.close(note, released, position, self.now());
        if next.closed {
            tracing::info!(command = %command.id, "the schedule of a command has ended");
        }
        self.write(next).await
    }

    /// Releases those things of the batch at this position that are among the first `released` of the command. Returns
    /// how many things are in the batch.
    async fn release_batch(&self, command: &Command, position: ReleasePosition, released: u64) -> Result<u16, Error> {
        let mut retries = ConflictRetries::new("releasing a batch", format!("{}/{}", command.id, position.batch));
        loop {
            let Some(batch) = self.clients.fleets.batch(&command.id, position.batch).await? else { return Ok(0) };
            let is_written = match batch.release(position.allowed_in_batch(released), self.now()) {
                None => true,
                Some(released) => self.clients.fleets.write_batch(&released).await?,
            };
            if is_written {
                return Ok(batch.things);
            }
            retries.wait().await?;
        }
    }
}
