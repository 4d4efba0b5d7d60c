//! The one message of a broadcast: it goes out once every thing has its execution, so that whoever answers is known.

use aws::Error;
use domain::{Broadcast, BroadcastRequest, Command, ControlState, Plan, Timestamp};

use super::plan::{Planner, Stepped};
use crate::failure::chain;

/// Others may write to the plan, a few times.
const TRIES: usize = 8;

impl Planner<'_> {
    /// Sends it, if its time has come; none if it has not, or it is sent.
    pub async fn broadcast(
        &self,
        command: &Command,
        broadcast: &Broadcast,
        plan: &Plan,
    ) -> Result<Option<Stepped>, Error> {
        let now = self.time();
        if plan.broadcast || plan.is_broadcasting(now) || !plan.complete || !is_open(command, now) {
            return Ok(None);
        }
        let reached = self.cloud.tallies.sum(&command.id).await?.reached();
        if plan.things == 0 || reached < plan.things {
            return Ok(None);
        }
        // Two who claim it at once: one of them has not seen the plan as it is.
        let claimed = plan.broadcasting(now);
        if !self.cloud.fleets.write_plan(&claimed).await? {
            return Ok(Some(Stepped::Lost));
        }
        // Read after that is written: who calls it off after this sees that it may be out.
        let still = self.cloud.commands.get(&command.id).await?;
        if !still.is_some_and(|command| is_open(&command, now)) {
            return self.write(claimed.not_broadcast(plan.broadcast_at, now)).await.map(Some);
        }
        let request = match BroadcastRequest::new(command, broadcast, self.response_topic, now) {
            Ok(request) => request,
            Err(error) => {
                tracing::error!(error = chain(&error), command = %command.id, "a broadcast can't be written");
                return Ok(Some(Stepped::Done));
            }
        };
        match self.cloud.messages.broadcast(&request).await {
            Ok(()) => self.note_sent(claimed).await.map(Some),
            Err(error) => {
                if error.is_refusal() {
                    self.write(claimed.not_broadcast(plan.broadcast_at, now)).await?;
                }
                Err(error)
            }
        }
    }

    /// Writes that it has gone out, whoever else writes to the plan meanwhile: otherwise it would go out again.
    async fn note_sent(&self, mut claimed: Plan) -> Result<Stepped, Error> {
        for _ in 0..TRIES {
            match self.write(claimed.broadcast()).await? {
                Stepped::Lost => {}
                written => return Ok(written),
            }
            match self.cloud.fleets.plan(&claimed.command).await? {
                Some(plan) if !plan.broadcast && plan.broadcast_at == claimed.broadcast_at => claimed = plan,
                _ => return Ok(Stepped::Lost),
            }
        }
        Err(Error::busy("writing that a broadcast went out", &claimed.command))
    }
}

/// Whether it may go out at this time.
fn is_open(command: &Command, now: Timestamp) -> bool {
    command.control.state == ControlState::Running && now < command.start_by()
}
