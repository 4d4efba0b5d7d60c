//! What has become of the current attempt, as the attributes of the row show it.

use crate::execution::attempt_steps::AttemptSteps;
use crate::execution::row::Execution;
use crate::status::DeliveryStatus;
use crate::timestamp::Timestamp;

impl Execution {
    /// What has become of the current attempt until now, as far as no history entry says so.
    pub(crate) fn attempt_steps(&self) -> AttemptSteps {
        let sent_by_creator = self.sent_by_creator_at();
        AttemptSteps {
            sent_by_creator: sent_by_creator.is_some(),
            sent_at: sent_by_creator.or_else(|| self.sent_by_claimer_at()),
            delivered_at: self.delivered_at,
            started_at: self.started_at,
        }
    }

    /// When the function that created the row has sent the request; none if it did not. It does not record that.
    fn sent_by_creator_at(&self) -> Option<Timestamp> {
        let sent = matches!(self.delivery_status, DeliveryStatus::Sent | DeliveryStatus::Delivered);
        // The request of a row that waited in its lane was claimed, and sent by the claimer.
        let claimed = self.claim.is_some() && self.lane.is_some();
        let is_delivery = |event: &str| DeliveryStatus::parse(event).is_ok();
        let recorded = self.history.iter().any(|entry| entry.attempt == 1 && is_delivery(&entry.event));
        (self.attempt == 1 && sent && !claimed && !recorded).then_some(self.created_at)
    }

    /// When a claimer has sent the request, where that was not recorded, because it crashed, or the device reported
    /// sooner.
    fn sent_by_claimer_at(&self) -> Option<Timestamp> {
        let sent = DeliveryStatus::Sent.as_str();
        let recorded = self.history.iter().any(|entry| entry.attempt == self.attempt && entry.event == sent);
        let known = match self.delivery_status {
            DeliveryStatus::Pending => self.is_terminal(),
            DeliveryStatus::Queued => false,
            DeliveryStatus::Sent | DeliveryStatus::Delivered => true,
        };
        let claimed = self.claim.is_some() && !recorded;
        let by_claimer = |at: &Timestamp| *at > self.created_at || self.lane.is_some();
        self.sent_at.filter(|at| known && claimed && by_claimer(at))
    }
}
