//! What has become of the current attempt, as the attributes of the row show it.

use crate::actor::Actor;
use crate::execution::attempt_steps::AttemptSteps;
use crate::execution::channel::Channel;
use crate::execution::history::HistoryEntry;
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

    /// When the function that created the row has sent the request; none if it did not. It does not record that; the
    /// first claim does, which replaces the time.
    fn sent_by_creator_at(&self) -> Option<Timestamp> {
        let sent = matches!(self.delivery_status, DeliveryStatus::Sent | DeliveryStatus::Delivered);
        let is_delivery = |event: &str| DeliveryStatus::parse(event).is_ok();
        let recorded = self.history.iter().any(|entry| entry.attempt == 1 && is_delivery(&entry.event));
        let by_creator = self.attempt == 1 && sent && self.claim.is_none() && !recorded;
        by_creator.then(|| self.sent_at.unwrap_or(self.created_at))
    }

    /// The sending of the current attempt, as far as no history entry says so.
    pub(crate) fn sending_step(&self) -> AttemptSteps {
        AttemptSteps { delivered_at: None, started_at: None, ..self.attempt_steps() }
    }

    /// The history entry of the sending by the function that created the row; none if it did not send it.
    pub(crate) fn sent_by_creator_entry(&self) -> Option<HistoryEntry> {
        let at = self.sent_by_creator_at()?;
        self.send_entry(at, DeliveryStatus::Sent.as_str(), self.first_sender(), &self.channel)
    }

    /// The function that sends the first request: of a single command, the one that creates it; of a fleet command,
    /// the one that processes its batches, or sends its broadcast.
    pub(crate) fn first_sender(&self) -> Actor {
        Actor::function(match (self.batch, &self.channel) {
            (None, _) => "command-api",
            (Some(_), Channel::Broadcast) => "fan-out-command",
            (Some(_), _) => "dispatch-commands",
        })
    }

    /// When a claimer has sent the request, where that was not recorded, because it crashed, or the device reported
    /// sooner.
    fn sent_by_claimer_at(&self) -> Option<Timestamp> {
        let sent = DeliveryStatus::Sent.as_str();
        let is_recorded = |entry: &HistoryEntry| entry.attempt == self.attempt && entry.event == sent;
        let recorded = self.history.iter().any(|entry| is_recorded(entry) && Some(entry.at) == self.sent_at);
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
