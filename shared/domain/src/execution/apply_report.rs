//! Applies a report to a row: the change of a start, a heartbeat or an end, and reports of earlier attempts.

use crate::command::failure::AttemptFailure;
use crate::execution::change::{Change, Condition, DueEntry, Effect};
use crate::execution::history::HistoryEntry;
use crate::execution::interim_report::InterimReport;
use crate::execution::key::Key;
use crate::execution::progress::{Attempt, Progress, Rank};
use crate::execution::row::{Execution, Outcome};
use crate::messages::report::device_report::Report;
use crate::messages::report::reported_status::ReportedStatus;
use crate::status::{DeliveryStatus, Status};
use crate::timestamp::Timestamp;

impl Report {
    /// The change of this report, which came at `at`, for a row that need not have been read. Every report proves
    /// delivery too.
    ///
    /// The change of an end leaves out what depends on the row: another attempt, and the clean-up that follows
    /// ([`Execution::finish`]).
    pub fn change(&self, key: Key, at: Timestamp) -> Change {
        let (rank, status, seq) = match self.reported {
            ReportedStatus::InProgress { seq: 0 } => (Rank::Accepted, Status::InProgress, 0),
            ReportedStatus::InProgress { seq } => (Rank::Running, Status::InProgress, seq),
            ReportedStatus::Succeeded => (Rank::Succeeded, Status::Succeeded, 0),
            ReportedStatus::Failed => (Rank::Failed, Status::Failed, 0),
            ReportedStatus::Rejected => (Rank::Failed, Status::Rejected, 0),
            ReportedStatus::TimedOut => (Rank::Failed, Status::TimedOut, 0),
            // No row has less progress: only `Execution::confirm_stop` writes this report.
            ReportedStatus::Canceled => (Rank::Created, Status::Created, 0),
        };
        let attempt = self.attempt;
        let (effect, due) = match self.reported {
            ReportedStatus::InProgress { .. } => {
                let earlier = Some(self.answered_attempt).filter(|answered| *answered < attempt);
                let interim = InterimReport::of(self, at).map(Box::new);
                (Effect::DeviceActive { at, earlier, interim }, DueEntry::Keep)
            }
            ReportedStatus::Canceled => (Effect::Nothing, DueEntry::Keep),
            _ => {
                let outcome = Box::new(self.outcome(at));
                (Effect::Finished { outcome, shadow_cleaned: false, missed: None }, DueEntry::Remove)
            }
        };
        Change {
            key,
            condition: Condition::Monotonic { attempt },
            progress: Progress::new(attempt, rank, seq),
            status,
            delivery_status: Some(DeliveryStatus::Delivered),
            effect,
            due,
            history_entry: None,
        }
    }

    /// What the report, which came at `at`, says about the end of its attempt.
    pub(crate) fn outcome(&self, at: Timestamp) -> Outcome {
        Outcome {
            attempt: self.answered_attempt,
            code: self.code.clone(),
            description: self.description.clone(),
            result: self.result.clone(),
            at,
            channel: self.channel,
        }
    }
}

impl Execution {
    /// A report of an earlier attempt as a report of the current one; none if it must not count.
    ///
    /// A device that was only slow, or whose heartbeats were lost, still runs the first request that it received, and
    /// ignores the later ones. So its report counts, if the cloud has ended that attempt and the device has not, and
    /// no report of another attempt came since. A report that names no attempt is about the current one, as far as is
    /// known.
    pub fn as_current_attempt(&self, report: &Report) -> Option<Report> {
        let counts = match report.names_attempt {
            false => true,
            true => self.may_run(report.attempt) && !self.history.iter().any(|entry| ended(entry, report)),
        };
        let earlier = report.attempt < self.attempt && self.outcome.is_none();
        let answered_attempt = if report.names_attempt { report.answered_attempt } else { self.attempt };
        (earlier && counts).then(|| Report {
            attempt: self.attempt,
            names_attempt: true,
            answered_attempt,
            ..report.clone()
        })
    }

    /// Whether the device may run this earlier attempt, by what it has reported since the current one was scheduled.
    fn may_run(&self, attempt: Attempt) -> bool {
        self.last_active_at.is_none() || self.runs_attempt == Some(attempt)
    }

    /// A change that is stale as one that counts: it increases no progress, but shows that the device is active, or
    /// brings an interim report. Many devices don't number their reports. None where no heartbeats are expected and
    /// nothing new is reported.
    pub fn active_again(&self, change: &Change) -> Option<Change> {
        let (Effect::DeviceActive { .. }, Condition::Monotonic { attempt }) = (&change.effect, change.condition) else {
            return None;
        };
        // What a numbered report says beside its status is older than what the row holds.
        let is_numbered = change.progress.seq() > 0;
        if self.heartbeat_seconds.is_none() && (is_numbered || !self.lacks_interim_report(change)) {
            return None;
        }
        let mut heartbeat =
            Change { condition: Condition::Running { attempt }, progress: self.progress, ..change.clone() };
        if let (Effect::DeviceActive { interim, .. }, true) = (&mut heartbeat.effect, is_numbered) {
            *interim = None;
        }
        self.apply(&heartbeat).map(|_| heartbeat)
    }

    /// Whether a change brings an interim report that the row does not hold yet.
    pub fn lacks_interim_report(&self, change: &Change) -> bool {
        let Effect::DeviceActive { interim: Some(interim), .. } = &change.effect else { return false };
        !self.interim.as_ref().is_some_and(|held| held.says_the_same_as(interim))
    }
}

/// Whether the entry says that the device itself has ended the attempt of the report, or a later one.
fn ended(entry: &HistoryEntry, report: &Report) -> bool {
    let failure = AttemptFailure::parse(entry.event.split(' ').next().unwrap_or_default());
    entry.attempt >= report.attempt && failure.is_some_and(|failure| !failure.is_provisional())
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::command::retry::RetryOptions;
    use crate::execution::fixtures::{CREATED_AT, actor, after_report, execution, report, retried};
    use crate::execution::next_action::NextAction;

    fn at(seconds: u32) -> Timestamp {
        CREATED_AT.plus_seconds(seconds)
    }

    /// An execution that is sent at once, waits 10 s for a response, and is retried at once.
    fn sent_and_retried() -> Execution {
        let on = Some(vec!["NO_RESPONSE", "FAILED"]);
        let options = RetryOptions { on, wait: Some(10), base: Some(0), cap: Some(0), ..RetryOptions::default() };
        let row = retried(None, &options);
        row.apply(&row.sent(CREATED_AT, actor())).unwrap()
    }

    /// The row after the actions that it needs by then, `seconds` after its creation.
    fn later(row: &Execution, seconds: u32) -> Execution {
        match row.next_action(at(seconds), &actor()) {
            NextAction::Write(change) => later(&row.apply(&change).unwrap(), seconds),
            NextAction::Send => {
                let claimed = row.apply(&row.claim(at(seconds), "token").unwrap()).unwrap();
                claimed.apply(&claimed.sent(at(seconds), actor())).unwrap()
            }
            _ => row.clone(),
        }
    }

    #[test]
    fn report_of_a_slow_device_counts_for_the_current_attempt() {
        let second = later(&sent_and_retried(), 10);
        assert_eq!((second.attempt, second.status), (2, Status::Created));
        let start = report(&second, r#"{"status":"RUNNING","attempt":1}"#);
        assert_eq!(second.apply(&start.change(second.key.clone(), at(11))), None);
        let current = second.as_current_attempt(&start).unwrap();
        let running = second.apply(&current.change(second.key.clone(), at(11))).unwrap();
        assert_eq!((running.status, running.runs_attempt), (Status::InProgress, Some(1)));
        let of_first = |payload: &str| report(&running, payload);
        let later = running.as_current_attempt(&of_first(r#"{"status":"RUNNING","attempt":1,"seq":1}"#)).unwrap();
        let later = running.apply(&later.change(second.key.clone(), at(12))).unwrap();
        assert_eq!((later.last_active_at, later.runs_attempt), (Some(at(12)), Some(1)));
        let failed = later.as_current_attempt(&of_first(r#"{"status":"FAILED","attempt":1}"#)).unwrap();
        assert_eq!((failed.attempt, failed.answered_attempt), (2, 1));
    }

    #[test]
    fn report_of_an_earlier_attempt_does_not_count_once_the_device_runs_a_later_one() {
        let second = later(&sent_and_retried(), 10);
        let running = after_report(&second, 11, r#"{"status":"RUNNING","attempt":2}"#).unwrap();
        assert_eq!(running.runs_attempt, None);
        for payload in [r#"{"status":"RUNNING","attempt":1}"#, r#"{"status":"FAILED","attempt":1}"#] {
            assert_eq!(running.as_current_attempt(&report(&running, payload)), None, "{payload}");
        }
        let slow = second.as_current_attempt(&report(&second, r#"{"status":"RUNNING","attempt":1}"#)).unwrap();
        let slow = second.apply(&slow.change(second.key.clone(), at(11))).unwrap();
        let changed = after_report(&slow, 12, r#"{"status":"RUNNING","attempt":2,"seq":1}"#).unwrap();
        assert_eq!(changed.runs_attempt, None, "the first run has ended without a report");
        assert_eq!(changed.as_current_attempt(&report(&changed, r#"{"status":"FAILED","attempt":1}"#)), None);
    }

    #[test]
    fn late_failure_of_an_attempt_overrides_the_verdict() {
        let timed_out = later(&later(&later(&sent_and_retried(), 10), 20), 60);
        assert_eq!((timed_out.attempt, timed_out.status), (3, Status::TimedOut));
        let current = timed_out.as_current_attempt(&report(&timed_out, r#"{"status":"FAILED","attempt":1}"#)).unwrap();
        let change = timed_out.finish(&current, at(61), false).unwrap();
        let failed = timed_out.apply(&change).unwrap();
        assert_eq!((failed.status, failed.is_late()), (Status::Failed, true));
        assert_eq!((failed.attempt, failed.outcome.as_ref().map(|outcome| outcome.attempt)), (3, Some(1)));
        assert_eq!(failed.as_current_attempt(&report(&failed, "FAILED")), None, "the status is final");
    }

    #[test]
    fn repeated_report_of_an_attempt_that_the_device_ended_does_not_count() {
        let row = sent_and_retried();
        let failure = report(&row, r#"{"status":"FAILED","attempt":1}"#);
        let second = row.apply(&row.finish(&failure, at(5), false).unwrap()).unwrap();
        assert_eq!(second.attempt, 2);
        assert_eq!(second.as_current_attempt(&failure), None);
        let unnamed = report(&second, "FAILED");
        let current = second.as_current_attempt(&unnamed).unwrap();
        assert_eq!((current.attempt, current.answered_attempt), (2, 2), "it does not name an attempt");
    }

    #[test]
    fn report_of_an_attempt_that_was_never_sent_is_refused() {
        let pending = execution(None);
        assert_eq!(after_report(&pending, 1, r#"{"status":"FAILED","attempt":2}"#), None);
        assert_eq!(after_report(&pending, 1, r#"{"status":"SUCCEEDED","attempt":2}"#), None);
    }

    #[test]
    fn heartbeat_without_a_number_shows_that_the_device_is_active() {
        let running = after_report(&execution(Some(30)), 5, "RUNNING").unwrap();
        let is_heartbeat = |row: &Execution, seconds, payload: &str| {
            let change = report(row, payload).change(row.key.clone(), at(seconds));
            row.active_again(&change).is_some()
        };
        assert_eq!(after_report(&running, 35, "RUNNING"), None, "it is stale");
        assert!(is_heartbeat(&running, 35, "RUNNING"));
        assert!(!is_heartbeat(&running, 5, "RUNNING"), "the same report");
        assert!(!is_heartbeat(&running, 4, "RUNNING"), "an older report");
        assert!(!is_heartbeat(&running, 95, "RUNNING"), "the heartbeat was lost before");
        assert!(!is_heartbeat(&running, 35, "SUCCESS"));
        assert!(!is_heartbeat(&running, 35, r#"{"status":"RUNNING","attempt":2}"#), "that attempt was never sent");
        let without = after_report(&execution(None), 5, "RUNNING").unwrap();
        assert!(!is_heartbeat(&without, 35, "RUNNING"), "no heartbeats are expected");
        assert!(!is_heartbeat(&after_report(&running, 20, "FAILED").unwrap(), 35, "RUNNING"));
    }
}
