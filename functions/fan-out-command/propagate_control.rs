//! Wakes batches after a pause, a resume or a cancel.

use std::ops::Range;

use aws::Error;
use domain::{BatchNumber, Command, Plan};

use super::planner::{Planner, StepOutcome};
use runtime::conflict::ConflictRetries;

impl Planner<'_> {
    /// Wakes those of the batches that the change of control concerns, and records in the plan that it has reached
    /// them.
    pub async fn propagate_control(
        &self,
        command: &Command,
        plan: &Plan,
        batches: Range<BatchNumber>,
    ) -> Result<StepOutcome, Error> {
        let next = batches.end;
        for number in batches {
            self.wake_batch(command, number).await?;
        }
        self.write(plan.propagated(command.control.generation, next, self.now())).await
    }

    async fn wake_batch(&self, command: &Command, number: BatchNumber) -> Result<(), Error> {
        let mut retries =
            ConflictRetries::new("waking a batch after a change of control", format!("{}/{number}", command.id));
        loop {
            let Some(batch) = self.clients.fleets.batch(&command.id, number).await? else { return Ok(()) };
            let Some(ready) = batch.mark_ready_after(&command.control, self.now()) else { return Ok(()) };
            if self.clients.fleets.write_batch(&ready).await? {
                return Ok(());
            }
            retries.wait().await?;
        }
    }
}
