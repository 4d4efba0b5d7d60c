//! After a change of control, every batch is told: it is called off, or goes on.

use aws::Error;
use domain::{BatchNumber, Command, Plan};

use super::plan::{Planner, Stepped};

/// So many batches in one step.
const STRIDE: BatchNumber = 50;

/// Others may write to a batch, a few times.
const TRIES: usize = 8;

impl Planner<'_> {
    /// Tells the next batches, from this one on.
    pub async fn walk(&self, command: &Command, plan: &Plan, from: BatchNumber) -> Result<Stepped, Error> {
        let upto = from.saturating_add(STRIDE).min(plan.batches);
        for number in from..upto {
            self.tell(command, number).await?;
        }
        self.write(plan.walked(command.control.generation, upto, self.time())).await
    }

    async fn tell(&self, command: &Command, number: BatchNumber) -> Result<(), Error> {
        for _ in 0..TRIES {
            let Some(batch) = self.cloud.fleets.batch(&command.id, number).await? else { return Ok(()) };
            let concerned = batch.is_to_be_called_off(&command.control) || batch.is_to_go_out();
            if !concerned || self.cloud.fleets.write_batch(&batch.kicked(self.time())).await? {
                return Ok(());
            }
        }
        Err(Error::busy("telling a batch", format!("{}/{number}", command.id)))
    }
}
