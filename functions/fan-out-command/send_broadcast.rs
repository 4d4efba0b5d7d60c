//! Sends the one message of a broadcast: claim it in the plan, send it, record that it was sent.

use aws::Error;
use domain::{Broadcast, BroadcastRequest, Command, Plan};

use super::planner::{Planner, StepOutcome};
use runtime::conflict::ConflictRetries;
use runtime::handler_error::chain;

impl Planner<'_> {
    /// Claims the message and sends it. The claim is a conditional write, so only one of two invocations sends.
    pub async fn send_broadcast(
        &self,
        command: &Command,
        broadcast: &Broadcast,
        plan: &Plan,
    ) -> Result<StepOutcome, Error> {
        let now = self.now();
        let claimed = plan.claim_broadcast(now);
        if !self.clients.fleets.write_plan(&claimed).await? {
            return Ok(StepOutcome::Conflict);
        }
        // The command is read after the claim: a cancel that is written after this read finds that the message may be
        // sent.
        let current = self.clients.commands.get(&command.id).await?;
        if !current.is_some_and(|command| command.may_broadcast(now)) {
            return self.write(claimed.broadcast_not_sent(plan, now)).await;
        }
        let request = match BroadcastRequest::new(command, broadcast, self.response_topic, now) {
            Ok(request) => request,
            Err(error) => {
                tracing::error!(error = chain(&error), command = %command.id, "a broadcast can't be serialized");
                return Ok(StepOutcome::Idle);
            }
        };
        match self.clients.messages.broadcast(&request).await {
            Ok(()) => self.record_sent(claimed).await,
            Err(error) => {
                if error.is_refusal() {
                    self.write(claimed.broadcast_not_sent(plan, now)).await?;
                }
                Err(error)
            }
        }
    }

    /// Records that the message was sent, over other writes to the plan: otherwise it would be sent again.
    async fn record_sent(&self, mut claimed: Plan) -> Result<StepOutcome, Error> {
        let mut retries = ConflictRetries::new("recording that a broadcast was sent", claimed.command.clone());
        loop {
            match self.write(claimed.with_broadcast_sent()).await? {
                StepOutcome::Conflict => {}
                outcome => return Ok(outcome),
            }
            match self.clients.fleets.plan(&claimed.command).await? {
                Some(plan) if plan.has_claim_of(&claimed) => claimed = plan,
                _ => return Ok(StepOutcome::Conflict),
            }
            retries.wait().await?;
        }
    }
}
