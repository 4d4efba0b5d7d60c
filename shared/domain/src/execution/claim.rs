//! The claim of a request: a time-limited exclusive right to send it.

use crate::execution::change::{Change, Claim, Condition, Effect};
use crate::execution::progress::Rank;
use crate::execution::row::Execution;
use crate::execution::send::MAX_SEND_SECONDS;
use crate::status::DeliveryStatus;
use crate::timestamp::Timestamp;

impl Execution {
    /// Whether a function may send the request at `now`: the device is not known to have it, and no other function
    /// can be sending it.
    pub fn should_send(&self, now: Timestamp) -> bool {
        let waits = matches!(self.delivery_status, DeliveryStatus::Pending | DeliveryStatus::Queued);
        let wanted = match self.is_as_created() && self.sent_at.is_some() {
            // Its creator sends it without a claim.
            true => !self.creator_may_be_sending(now),
            false => self.progress.is_at_most(Rank::Created) && waits && !self.is_being_sent(now),
        };
        wanted && self.overdue_verdict(now).is_none()
    }

    /// Whether a claim is in force, or a sending with an unknown result may be claimed again only later.
    pub(crate) fn is_being_sent(&self, now: Timestamp) -> bool {
        self.sent_at.is_some() && self.next_send_at.is_some_and(|at| at > now)
    }

    /// Claims the request, so that no other function sends it too; none if it must not be sent.
    ///
    /// The result of the sending is written afterwards. If the claimer crashes before, the request may be claimed
    /// again after [`MAX_SEND_SECONDS`]. `token` is a text that no other claim has.
    pub fn claim(&self, now: Timestamp, token: &str) -> Option<Change> {
        self.should_send(now).then(|| self.claimed(now, token))
    }

    /// The claim of a request that may be sent.
    pub(crate) fn claimed(&self, now: Timestamp, token: &str) -> Change {
        let next_send_at = now.plus_seconds(MAX_SEND_SECONDS);
        let (maybe_delivered, channel) = (self.may_be_delivered(), self.channel.clone());
        let claim = Claim { at: now, next_send_at, channel, maybe_delivered, token: token.to_owned() };
        let mut change = self.tried(DeliveryStatus::Pending, Effect::Claimed(Box::new(claim)));
        change.history_entry = self.sent_by_creator_entry();
        // The row must be due after a crash, so no other writer may have moved its due entry since it was read.
        change.condition = Condition::Unchanged(self.snapshot());
        // An entry that is due already stays: the result of the sending moves it.
        if self.due_at.is_none_or(|due| due > now.as_seconds()) {
            change.due = self.due_after(&change, now);
        }
        change
    }

    /// Whether a claim that lost against another write may be made again: the progress is that on which it was
    /// decided, so only the due entry or the last activity has changed.
    pub fn has_progress_claimed_by(&self, claim: &Change) -> bool {
        matches!(claim.condition, Condition::Unchanged(read) if read.progress == self.progress)
    }

    /// Whether this claim is the one in the row, so that it was written although its writer got no answer.
    pub fn is_claimed_by(&self, claim: &Change) -> bool {
        let token = match &claim.effect {
            Effect::Claimed(claim) => Some(&claim.token),
            _ => None,
        };
        self.progress == claim.progress && token.is_some() && self.claim.as_ref() == token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::command::delivery::Delivery;
    use crate::execution::fixtures::{CREATED_AT, actor, after_report, create, execution};
    use crate::execution::next_action::NextAction;
    use crate::status::Reason;

    fn at(seconds: u32) -> Timestamp {
        CREATED_AT.plus_seconds(seconds)
    }

    #[test]
    fn request_that_the_device_does_not_have_may_be_sent_at_any_time_within_the_ttl() {
        let execution = execution(None);
        let after = |change| execution.apply(&change).unwrap();
        let queued = after(execution.queued(CREATED_AT, actor()));
        let refused = after(execution.send_failed(CREATED_AT, actor(), true));
        for seconds in [0, 1, 59] {
            assert!(queued.should_send(at(seconds)));
            assert!(refused.should_send(at(seconds)));
        }
        assert!(!queued.should_send(at(60)), "it has expired");
        assert!(!after(execution.sent(CREATED_AT, actor())).should_send(at(30)));
        assert!(!after(execution.delivered(CREATED_AT, actor())).should_send(at(30)));
        assert!(!after_report(&execution, 1, "RUNNING").unwrap().should_send(at(30)));
    }

    #[test]
    fn new_row_is_sent_again_unless_its_creator_may_be_sending() {
        for delivery in [Delivery::Direct, Delivery::Topic] {
            let execution = create(delivery, None);
            for (seconds, may_send) in [(0, false), (1, false), (9, false), (10, true), (59, true), (60, false)] {
                assert_eq!(execution.should_send(at(seconds)), may_send, "{delivery:?} {seconds}");
            }
        }
    }

    #[test]
    fn claimed_request_may_be_claimed_again_unless_its_result_is_written() {
        let pending = execution(None);
        let queued = pending.apply(&pending.queued(CREATED_AT, actor())).unwrap();
        let claimed = queued.apply(&queued.claim(at(20), "first").unwrap()).unwrap();
        assert_eq!(
            (claimed.delivery_status, claimed.due_at),
            (DeliveryStatus::Pending, Some(at(30).as_seconds_rounded_up()))
        );
        assert!(!claimed.should_send_on_connect(at(29)) && claimed.claim(at(29), "second").is_none());
        let action = |seconds| claimed.next_action(at(seconds), &actor());
        assert_eq!((action(29), action(30)), (NextAction::Nothing, NextAction::Send));
        assert!(claimed.should_send_on_connect(at(30)));
        assert!(!claimed.was_never_sent() && claimed.matches_unnamed_report(at(21)), "its device may have it already");
        let sent = claimed.apply(&claimed.sent(at(21), actor())).unwrap();
        assert_eq!((sent.delivery_status, sent.sent_at, sent.next_send_at), (DeliveryStatus::Sent, Some(at(20)), None));
        assert_eq!(sent.history.last().map(|entry| (entry.at, entry.event.as_str())), Some((at(20), "SENT")));
        assert!(sent.claim(at(31), "second").is_none());
        let NextAction::Write(expired) = action(60) else { panic!("{:?}", action(60)) };
        let verdict = claimed.apply(&expired).unwrap().verdict;
        assert_eq!(verdict.map(|verdict| verdict.reason), Some(Reason::NoResponse), "it may have been sent");
    }

    #[test]
    fn lost_claim_is_repeated_only_where_no_result_of_a_sending_was_written() {
        let pending = execution(None);
        let queued = pending.apply(&pending.queued(CREATED_AT, actor())).unwrap();
        let claim = queued.claim(at(20), "first").unwrap();
        let moved = Execution { due_at: Some(7), ..queued.clone() };
        assert!(moved.apply(&claim).is_none() && moved.has_progress_claimed_by(&claim));
        let sent_elsewhere = queued.apply(&queued.send_failed(CREATED_AT, actor(), true)).unwrap();
        assert!(sent_elsewhere.apply(&claim).is_none() && !sent_elsewhere.has_progress_claimed_by(&claim));
    }
}
