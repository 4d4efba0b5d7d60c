//! The creator of a row: the one function that stored it, and may send its request without a claim.
//!
//! Requests for the same command may come at the same time, and the answer of a write may be lost. So a creator
//! recognizes its row by a token in it, and every other function needs a claim, which it gets only when the creator has
//! finished or crashed. A creator that crashed and one that succeeded leave the same row, so a repeated request that
//! comes before records its doubt: then the request goes out again unless the creator proves to be alive.

use crate::execution::change::{Change, DueEntry, Effect};
use crate::execution::channel::Channel;
use crate::execution::creator_token::CreatorToken;
use crate::execution::row::Execution;
use crate::execution::send::MAX_SEND_SECONDS;
use crate::timestamp::Timestamp;

impl Execution {
    /// The new row as its creator stores it at `at`, which is the time of its sending. A row that waits for its lane
    /// or its broadcast has no such time, or one of its own.
    #[must_use]
    pub fn stored_by(self, creator: CreatorToken, at: Timestamp) -> Self {
        let sent_at = if self.channel == Channel::Broadcast { self.sent_at } else { self.sent_at.map(|_| at) };
        Self { creator: Some(creator), sent_at, ..self }
    }

    /// Whether this creator has stored it, and nothing has been sent since. A creator finds that where the answer of
    /// its write was lost.
    pub fn is_created_by(&self, creator: &CreatorToken) -> bool {
        self.is_as_created() && self.creator.as_ref() == Some(creator)
    }

    /// Whether its creator may still be sending its request.
    pub(crate) fn creator_may_be_sending(&self, now: Timestamp) -> bool {
        self.creator_ends_at().is_some_and(|end| now < end)
    }

    /// When its creator has finished or crashed; none if it has done so already, or never sends.
    fn creator_ends_at(&self) -> Option<Timestamp> {
        let stored_at = self.sent_at.filter(|_| self.is_as_created())?;
        Some(stored_at.plus_seconds(MAX_SEND_SECONDS))
    }

    /// Records the doubt of a repeated request, with the event id `event_id`, whether the creator has crashed: the
    /// request goes out again when the creator has finished or crashed, unless a result of its sending or a report
    /// comes before. None if it would go out again in any case, or never; and for the creator's own event, so that
    /// handling it twice changes nothing.
    pub fn doubt_creator(&self, event_id: &str, now: Timestamp) -> Option<Change> {
        let next_send_at = self.creator_ends_at().filter(|end| now < *end && *end < self.start_by)?;
        let own_event = self.creator.as_ref().is_some_and(|creator| creator.is_of_event(event_id));
        if own_event || self.is_doubted() || self.channel == Channel::Broadcast {
            return None;
        }
        let doubt = Change { effect: Effect::Doubted { next_send_at }, due: DueEntry::Keep, ..self.bookkeeping() };
        let due = self.due_after(&doubt, now);
        Some(Change { due, ..doubt })
    }

    /// Whether a repeated request has recorded its doubt, and no result of a sending has come since.
    pub fn is_doubted(&self) -> bool {
        self.is_as_created() && self.sent_at.is_some() && self.next_send_at.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::command::delivery::Delivery;
    use crate::execution::fixtures::{CREATED_AT, actor, after_report, create};
    use crate::execution::next_action::NextAction;
    use crate::status::DeliveryStatus;

    fn at(seconds: u32) -> Timestamp {
        CREATED_AT.plus_seconds(seconds)
    }

    /// A row that the event `first` stored 20 s after its creation.
    fn stored(delivery: Delivery) -> Execution {
        create(delivery, None).stored_by(CreatorToken::new("first", 1), at(20))
    }

    fn doubted(row: &Execution) -> Execution {
        row.apply(&row.doubt_creator("second", at(21)).unwrap()).unwrap()
    }

    #[test]
    fn creator_has_its_time_from_when_it_stored_the_row() {
        let stored = stored(Delivery::Topic);
        assert_eq!((stored.sent_at, stored.start_by), (Some(at(20)), at(60)), "the deadlines count from the creation");
        assert!(!stored.should_send(at(29)) && stored.should_send(at(30)));
        let claimed = stored.apply(&stored.claim(at(30), "token").unwrap()).unwrap();
        assert!(stored.is_created_by(&CreatorToken::new("first", 1)));
        assert!(!stored.is_created_by(&CreatorToken::new("first", 2)), "the event is handled twice at the same time");
        assert!(!claimed.is_created_by(&CreatorToken::new("first", 1)), "another function sends it");
    }

    #[test]
    fn doubted_request_goes_out_again_when_its_creator_must_have_finished() {
        for delivery in [Delivery::Direct, Delivery::Topic] {
            let row = doubted(&stored(delivery));
            assert_eq!((row.next_send_at, row.due_at), (Some(at(30)), Some(at(30).as_seconds_rounded_up())));
            assert_eq!(row.progress, stored(delivery).progress, "the creator's own writes are not hindered");
            assert_eq!(row.next_action(at(29), &actor()), NextAction::Nothing);
            assert_eq!(row.next_action(at(30), &actor()), NextAction::Send);
            assert!(row.claim(at(29), "token").is_none() && row.claim(at(30), "token").is_some());
        }
    }

    #[test]
    fn creator_that_is_alive_ends_the_doubt() {
        let (direct, topic) = (stored(Delivery::Direct), stored(Delivery::Topic));
        let results = [
            doubted(&direct).apply(&direct.delivered(at(22), actor())).unwrap(),
            doubted(&direct).apply(&direct.queued(at(22), actor())).unwrap(),
            doubted(&direct).apply(&direct.sent(at(22), actor())).unwrap(),
            doubted(&topic).apply(&doubted(&topic).sent(at(22), actor())).unwrap(),
        ];
        for row in results {
            assert_eq!((row.next_send_at, row.is_doubted()), (None, false), "{}", row.delivery_status);
        }
        let running = after_report(&doubted(&topic), 22, "RUNNING").unwrap();
        assert!(!running.is_doubted() && !running.should_send(at(30)));
        assert_ne!(running.next_action(at(30), &actor()), NextAction::Send);
    }

    #[test]
    fn doubt_is_recorded_once_and_only_while_the_creator_may_be_sending() {
        let row = stored(Delivery::Topic);
        assert_eq!(row.doubt_creator("first", at(21)), None, "it is the same event");
        assert_eq!(row.doubt_creator("second", at(30)), None, "it may be sent at once");
        assert_eq!(doubted(&row).doubt_creator("third", at(22)), None);
        let other = row.doubt_creator("third", at(21)).unwrap();
        assert_eq!(doubted(&row).apply(&other), None, "of two doubts one is written");
        let late = create(Delivery::Topic, None).stored_by(CreatorToken::new("first", 1), at(50));
        assert_eq!(late.doubt_creator("second", at(51)), None, "nothing is left of its ttl by then");
        let queued = row.apply(&row.queued(at(21), actor())).unwrap();
        assert_eq!((queued.delivery_status, queued.doubt_creator("second", at(22))), (DeliveryStatus::Queued, None));
        assert_eq!(create(Delivery::Broadcast, None).doubt_creator("second", at(1)), None);
    }
}
