//! The one message of a broadcast: it goes out once every thing has its execution, so that whoever answers is known.

use aws::Error;
use domain::{Broadcast, BroadcastRequest, Command, ControlState, Plan};

use super::plan::{Planner, Stepped};
use crate::failure::chain;

/// Whoever was about to send it has done so, or is dead, after so many seconds.
const SENDING: u32 = 30;

impl Planner<'_> {
    /// Sends it, if its time has come; none if it has not, or it is sent.
    pub async fn broadcast(
        &self,
        command: &Command,
        broadcast: &Broadcast,
        plan: &Plan,
    ) -> Result<Option<Stepped>, Error> {
        let now = self.time();
        let under_way = plan.broadcast_at.is_some_and(|at| now < at.plus_seconds(SENDING));
        let open = command.control.state == ControlState::Running && now < command.start_by();
        if plan.broadcast || under_way || !plan.complete || !open {
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
        let request = match BroadcastRequest::new(command, broadcast, self.response_topic, now) {
            Ok(request) => request,
            Err(error) => {
                tracing::error!(error = chain(&error), command = %command.id, "a broadcast can't be written");
                return Ok(Some(Stepped::Done));
            }
        };
        self.cloud.messages.broadcast(&request).await?;
        self.write(claimed.broadcast()).await.map(Some)
    }
}
