//! Early withdrawal: the end of an execution before its ttl is over, since more requests have to leave their shadows
//! with it than can be removed at one time.
//!
//! A device that comes back must not find a request whose ttl has passed. To be withdrawn seconds early costs it a
//! chance; to be withdrawn late lets it run what its operator wants no more.

use crate::actor::Actor;
use crate::execution::change::Change;
use crate::execution::deadlines::DeadlineKind;
use crate::execution::row::{Execution, Verdict};
use crate::status::{Reason, Status};
use crate::timestamp::Timestamp;

impl Execution {
    /// The change that ends it at `now`, before its time, so that its request leaves its shadow. None where its
    /// request is in no shadow, its device has begun, or something else than its end comes next.
    pub fn withdraw_early(&self, now: Timestamp, actor: &Actor) -> Option<Change> {
        let is_in_shadow = self.shadow_cleanup_pending && !self.creator_may_be_sending(now);
        match self.next_deadline(now).kind {
            DeadlineKind::GiveUp(reason) if is_in_shadow && self.status == Status::Created && now < self.start_by => {
                Some(self.give_up(Verdict { reason, at: now }, now, actor.clone()))
            }
            _ => None,
        }
    }

    /// How many seconds before its time it was withdrawn; none if it was not.
    pub(crate) fn withdrawn_early_seconds(&self) -> Option<u32> {
        let verdict = self.verdict.filter(|verdict| {
            let not_started = matches!(verdict.reason, Reason::NoResponse | Reason::Expired);
            not_started && verdict.at < self.start_by
        })?;
        Some(verdict.at.seconds_until(self.start_by).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::command::delivery::Delivery;
    use crate::command::retry::RetryOptions;
    use crate::execution::change::DueEntry;
    use crate::execution::fixtures::{CREATED_AT, actor, after_report, create, retried};
    use crate::execution::next_action::NextAction;

    fn at(seconds: u32) -> Timestamp {
        CREATED_AT.plus_seconds(seconds)
    }

    fn sent_in_shadow() -> Execution {
        let row = create(Delivery::Shadow, None);
        row.apply(&row.sent(CREATED_AT, actor())).unwrap()
    }

    #[test]
    fn request_in_a_shadow_is_withdrawn_and_its_shadow_cleaned_up() {
        let row = sent_in_shadow();
        let change = row.withdraw_early(at(30), &actor()).unwrap();
        assert_eq!(change.due, DueEntry::At(at(30).as_seconds()), "the clean-up is due");
        let ended = row.apply(&change).unwrap();
        let verdict = Verdict { reason: Reason::NoResponse, at: at(30) };
        assert_eq!((ended.status, ended.verdict), (Status::TimedOut, Some(verdict)));
        assert!(matches!(ended.next_action(at(30), &actor()), NextAction::CleanUp { clean_shadow: true, .. }));
        assert_eq!(ended.withdrawn_early_seconds(), Some(at(30).seconds_until(row.start_by)));
        let late = after_report(&ended, 40, "SUCCEEDED").unwrap();
        assert!(late.status == Status::Succeeded && late.is_late(), "its device had it, and is believed");
    }

    #[test]
    fn what_is_not_in_a_shadow_or_has_not_come_to_its_end_stays() {
        let row = sent_in_shadow();
        assert_eq!(row.withdraw_early(row.start_by, &actor()), None, "that is its time");
        let own_time = row.apply(&row.give_up(row.overdue_verdict(row.start_by).unwrap(), row.start_by, actor()));
        assert_eq!(own_time.unwrap().withdrawn_early_seconds(), None);
        assert_eq!(create(Delivery::Direct, None).withdraw_early(at(30), &actor()), None, "no shadow");
        assert_eq!(create(Delivery::Shadow, None).withdraw_early(at(1), &actor()), None, "it is being sent");
        let running = after_report(&row, 5, "RUNNING").unwrap();
        assert_eq!(running.withdraw_early(at(30), &actor()), None, "its device has begun");
        let options = RetryOptions { attempts: Some(2), wait: Some(10), ..RetryOptions::default() };
        let again = Execution { channel: row.channel.clone(), shadow_cleanup_pending: true, ..retried(None, &options) };
        let again = again.apply(&again.sent(CREATED_AT, actor())).unwrap();
        assert_eq!(again.withdraw_early(at(5), &actor()), None, "another attempt follows");
    }
}
