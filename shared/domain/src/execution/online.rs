//! What to do about an execution whose device comes online: send its request, or send it again.
//!
//! A request that was sent and not acknowledged may have gone to a connection that was broken already, or out before
//! the device subscribed. So it goes out again, with the same id and attempt, by which the device recognizes a second
//! one.

use crate::actor::Actor;
use crate::execution::change::{Change, Condition, Effect};
use crate::execution::channel::Channel;
use crate::execution::history::HistoryEntry;
use crate::execution::progress::Rank;
use crate::execution::row::Execution;
use crate::execution::send::MAX_SEND_SECONDS;
use crate::status::DeliveryStatus;
use crate::timestamp::Timestamp;

/// What to do about an execution whose device comes online.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnlineAction {
    /// Nothing.
    Nothing,
    /// Claim its request and send it: it is queued, or its sender has crashed.
    Send,
    /// Claim its request and send it again ([`Execution::claim_again`]): it was sent before the device came online, and
    /// is not acknowledged.
    SendAgain,
    /// Write that it is sent again later ([`Execution::send_again_later`]): its message may be on its way, and there is
    /// no other acknowledgement than the device's report.
    SendAgainLater,
}

impl Execution {
    /// What to do because the device came online at `at`. `subscribed`: it has subscribed, so that its session may be
    /// a new one; otherwise the broker delivers the messages of its topics that it has missed.
    pub fn online_action(&self, at: Timestamp, subscribed: bool) -> OnlineAction {
        match &self.channel {
            _ if self.should_send_on_connect(at) => OnlineAction::Send,
            Channel::Direct if self.should_send_again(at, at) => OnlineAction::SendAgain,
            Channel::Topic if subscribed && self.should_send_again(at, at) => {
                let sent_long_ago = self.sent_at.is_some_and(|sent| sent.plus_seconds(MAX_SEND_SECONDS) <= at);
                if sent_long_ago { OnlineAction::SendAgain } else { OnlineAction::SendAgainLater }
            }
            _ => OnlineAction::Nothing,
        }
    }

    /// Whether to send the request because the device comes online: it is queued, or its sender has crashed.
    pub fn should_send_on_connect(&self, now: Timestamp) -> bool {
        let waits = match self.delivery_status {
            DeliveryStatus::Queued => true,
            DeliveryStatus::Pending => !self.waits_in_lane() && self.next_send_at.is_none_or(|at| at <= now),
            DeliveryStatus::Sent | DeliveryStatus::Delivered => false,
        };
        waits && self.should_send(now)
    }

    /// Whether to send the request again at `now`, since the device has come online at `online_since`: it was sent
    /// before, and is not acknowledged. Only a message is: a shadow keeps its request.
    pub fn should_send_again(&self, online_since: Timestamp, now: Timestamp) -> bool {
        self.progress.is_at_most(Rank::Created)
            && self.delivery_status == DeliveryStatus::Sent
            && matches!(self.channel, Channel::Direct | Channel::Topic)
            && self.next_send_at.is_none()
            && self.sent_at.is_some_and(|sent| sent < online_since)
            && self.overdue_verdict(now).is_none()
    }

    /// Claims a request that was sent and not acknowledged, so that it is sent again; none if that must not be.
    pub fn claim_again(&self, online_since: Timestamp, now: Timestamp, token: &str) -> Option<Change> {
        self.should_send_again(online_since, now).then(|| self.claimed(now, token))
    }

    /// Sends the request again when its message must have arrived or be lost; none if the ttl ends before.
    pub fn send_again_later(&self, now: Timestamp, actor: Actor) -> Option<Change> {
        let next_send_at = self.sent_at?.plus_seconds(MAX_SEND_SECONDS);
        if !self.should_send_again(now, now) || next_send_at >= self.start_by {
            return None;
        }
        let mut change = self.tried(DeliveryStatus::Pending, Effect::SendFailed { next_send_at, refused: false });
        // The row must be due then, so no other writer may have moved its due entry since it was read.
        change.condition = Condition::Unchanged(self.snapshot());
        let entry = self.send_entry(now, DeliveryStatus::Pending.as_str(), actor, &self.channel);
        change.history_entry = entry.map(|entry| HistoryEntry { steps: self.sending_step(), ..entry });
        change.due = self.due_after(&change, now);
        Some(change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::command::delivery::Delivery;
    use crate::execution::fixtures::{CREATED_AT, actor, after_report, create};
    use crate::execution::next_action::NextAction;

    fn at(seconds: u32) -> Timestamp {
        CREATED_AT.plus_seconds(seconds)
    }

    /// A direct request to a device that did not acknowledge it.
    fn unacknowledged() -> Execution {
        let row = create(Delivery::Direct, None);
        row.apply(&row.sent(at(5), actor())).unwrap()
    }

    #[test]
    fn device_that_comes_online_is_not_sent_a_request_that_its_creator_is_sending() {
        let pending = create(Delivery::Direct, None);
        for subscribed in [false, true] {
            assert_eq!(pending.online_action(CREATED_AT, subscribed), OnlineAction::Nothing);
            assert_eq!(pending.online_action(at(9), subscribed), OnlineAction::Nothing);
            assert_eq!(pending.online_action(at(10), subscribed), OnlineAction::Send, "its creator has crashed");
        }
    }

    #[test]
    fn unacknowledged_message_is_sent_again_to_a_device_that_came_online_after_it() {
        let row = unacknowledged();
        for subscribed in [false, true] {
            assert_eq!(row.online_action(CREATED_AT, subscribed), OnlineAction::Nothing, "it was online by then");
            assert_eq!(row.online_action(at(6), subscribed), OnlineAction::SendAgain);
            assert_eq!(row.online_action(at(60), subscribed), OnlineAction::Nothing, "it has expired");
        }
        assert_eq!(row.claim(at(6), "token"), None, "nothing else sends it again");
        let claimed = row.apply(&row.claim_again(at(6), at(7), "token").unwrap()).unwrap();
        assert_eq!((claimed.sent_at, claimed.attempt, claimed.maybe_delivered), (Some(at(7)), 1, true));
        assert_eq!(claimed.online_action(at(8), true), OnlineAction::Nothing, "it is being sent");
        let sent = claimed.apply(&claimed.sent(at(8), actor())).unwrap();
        assert_eq!(sent.online_action(at(6), true), OnlineAction::Nothing, "the same event again");
        assert_eq!(sent.online_action(at(9), true), OnlineAction::SendAgain, "it came online once more");
    }

    #[test]
    fn acknowledged_or_answered_message_is_not_sent_again() {
        let row = create(Delivery::Direct, None);
        let delivered = row.apply(&row.delivered(at(1), actor())).unwrap();
        let running = after_report(&unacknowledged(), 6, "RUNNING").unwrap();
        let ended = after_report(&unacknowledged(), 6, "SUCCEEDED").unwrap();
        for row in [delivered, running, ended] {
            assert_eq!(row.online_action(at(20), true), OnlineAction::Nothing);
        }
        for delivery in [Delivery::Shadow, Delivery::Broadcast] {
            assert_eq!(create(delivery, None).online_action(at(20), true), OnlineAction::Nothing, "{delivery:?}");
        }
    }

    #[test]
    fn message_on_a_topic_is_sent_again_only_when_the_first_one_must_have_arrived() {
        let row = create(Delivery::Topic, None);
        assert_eq!(row.online_action(at(20), false), OnlineAction::Nothing, "the broker has kept it for the session");
        assert_eq!(row.online_action(at(10), true), OnlineAction::SendAgain);
        assert_eq!(row.online_action(at(9), true), OnlineAction::SendAgainLater);
        let later = row.apply(&row.send_again_later(at(9), actor()).unwrap()).unwrap();
        assert_eq!((later.next_send_at, later.due_at), (Some(at(10)), Some(at(10).as_seconds_rounded_up())));
        assert_eq!(later.next_action(at(10), &actor()), NextAction::Send);
        assert_eq!(later.online_action(at(9), true), OnlineAction::Nothing, "a second subscription");
        let running = after_report(&later, 9, "RUNNING").unwrap();
        assert_ne!(running.next_action(at(10), &actor()), NextAction::Send, "its device has it");
        assert_eq!(later.sent_at, row.sent_at);
        let moved = Execution { due_at: row.due_at.map(|due| due + 5), ..row.clone() };
        let again = row.send_again_later(at(9), actor()).unwrap();
        assert_eq!(moved.apply(&again), None, "it would be due only when its entry is");
    }
}
