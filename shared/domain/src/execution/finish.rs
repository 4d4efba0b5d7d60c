//! Ends an execution by its device's report, which overrides a verdict of the cloud, or retries the failed attempt.

use crate::actor::Actor;
use crate::command::failure::AttemptFailure;
use crate::execution::change::{Change, Condition, Effect};
use crate::execution::row::{AttemptEnd, Execution};
use crate::messages::report::device_report::Report;
use crate::messages::report::reported_status::ReportedStatus;
use crate::timestamp::Timestamp;

impl Execution {
    /// The change of a report that ends the current attempt: another attempt, if the retry policy names the failure
    /// and the ttl leaves time for it; else the end, with a due entry while a shadow has to be cleaned up or a lane
    /// left. None if the report ends nothing, or is stale. A verdict whose deadline had passed is kept in the row: until
    /// now, readers were shown it.
    ///
    /// `shadow_cleaned`: the shadow is known not to contain the request any more.
    pub fn finish(&self, report: &Report, at: Timestamp, shadow_cleaned: bool) -> Option<Change> {
        let mut change = report.change(self.key.clone(), at);
        if !change.is_terminal() || self.apply(&change).is_none() {
            return None;
        }
        let missed_verdict = self.overdue_verdict(at);
        // Readers have seen the final end by its last failure, whether or not that is written.
        if missed_verdict.is_some() && self.own_failure().is_some() {
            return None;
        }
        let is_open = !self.is_terminal() && missed_verdict.is_none();
        let failure = reported_failure(report.reported).filter(|_| report.attempt == self.attempt);
        if let Some(failure) = failure.filter(|failure| is_open && self.may_retry(*failure, at)) {
            let failed = AttemptEnd { status: change.status, outcome: report.outcome(at) };
            return Some(self.schedule_retry(failure, at, Some(failed), Actor::device()));
        }
        if let Effect::Finished { shadow_cleaned: cleaned, missed, .. } = &mut change.effect {
            *cleaned = shadow_cleaned;
            *missed = missed_verdict;
        }
        // The clean-up that follows is decided on the row as it was read.
        change.condition = Condition::Unchanged(self.snapshot());
        change.due = self.due_after_end(at, shadow_cleaned);
        Some(change)
    }

    /// Whether a report ends the execution, and one clean-up of its shadow is all that is left to do then. So the shadow
    /// may be cleaned up before the end is written, which saves two write units.
    pub fn leaves_one_cleanup(&self, report: &Report, at: Timestamp) -> bool {
        let change = self.finish(report, at, false).filter(Change::is_terminal);
        let ended = change.and_then(|change| self.apply(&change));
        ended.is_some_and(|row| row.shadow_cleanup_pending && !row.in_lane && row.next_cleanup_at(at).is_none())
    }
}

/// The failure that a device reports, if it reports one.
const fn reported_failure(reported: ReportedStatus) -> Option<AttemptFailure> {
    match reported {
        ReportedStatus::InProgress { .. } | ReportedStatus::Succeeded | ReportedStatus::Canceled => None,
        ReportedStatus::Failed => Some(AttemptFailure::Failed),
        ReportedStatus::Rejected => Some(AttemptFailure::Rejected),
        ReportedStatus::TimedOut => Some(AttemptFailure::TimedOut),
    }
}

#[cfg(test)]
mod tests {
    use crate::command::retry::RetryOptions;
    use crate::execution::fixtures::{CREATED_AT, actor, after_report, execution, report, retried};
    use crate::execution::row::{Execution, Verdict};
    use crate::status::{Reason, Status};

    #[test]
    fn report_overrides_a_verdict_and_no_verdict_overrides_a_report() {
        let pending = execution(None);
        let verdict = Verdict { reason: Reason::Expired, at: pending.start_by };
        let change = pending.give_up(verdict, pending.start_by, actor());
        let expired = pending.apply(&change).unwrap();
        assert_eq!((expired.status, expired.due_at), (Status::TimedOut, None));
        assert_eq!(after_report(&expired, 61, "RUNNING"), None);
        let failed = after_report(&expired, 62, "FAILED").unwrap();
        assert_eq!(failed.status, Status::Failed);
        assert_eq!(failed.verdict.map(|verdict| verdict.reason), Some(Reason::Expired), "the history stays");
        assert_eq!(failed.apply(&change), None);
        assert_eq!(after_report(&failed, 63, "REJECTED"), None);
        assert_eq!(after_report(&failed, 64, "SUCCEEDED"), None, "a final status never changes");
    }

    #[test]
    fn verdict_that_was_not_written_is_kept_by_a_late_report() {
        let running = after_report(&execution(Some(30)), 5, "RUNNING").unwrap();
        for (row, seconds) in [(&running, 95), (&execution(None), 60)] {
            let shown = row.observe(CREATED_AT.plus_seconds(seconds)).verdict;
            assert!(shown.is_some());
            let after = |seconds| {
                let change = row.finish(&report(row, "SUCCEEDED"), CREATED_AT.plus_seconds(seconds), false);
                row.apply(&change.unwrap()).unwrap()
            };
            let in_time = after(seconds - 1);
            assert_eq!((in_time.verdict, in_time.is_late()), (None, false));
            let late = after(seconds);
            assert_eq!((late.status, late.verdict, late.is_late()), (Status::Succeeded, shown, true));
        }
    }

    #[test]
    fn end_by_the_last_failure_is_final_as_soon_as_it_is_shown() {
        let first = retried(None, &RetryOptions { on: Some(vec!["FAILED"]), ..RetryOptions::default() });
        let failed = first.finish(&report(&first, "FAILED"), CREATED_AT.plus_seconds(5), false).unwrap();
        let second = first.apply(&failed).unwrap();
        let success = report(&second, "SUCCEEDED");
        let success = second.as_current_attempt(&success).unwrap_or(success);
        let end = |row: &Execution, seconds| row.finish(&success, CREATED_AT.plus_seconds(seconds), false);
        assert_eq!(second.apply(&end(&second, 59).unwrap()).unwrap().status, Status::Succeeded);
        let now = CREATED_AT.plus_seconds(60);
        assert_eq!((second.observe(now).status, end(&second, 60)), (Status::Failed, None));
        let written = second.end_overdue(second.overdue_verdict(now).unwrap(), now, actor());
        let written = second.apply(&written).unwrap();
        assert_eq!((written.status, written.delivered_at, end(&written, 61)), (Status::Failed, None, None));
        // The current attempt went out: its device may have it, and not have heard of the end.
        let sent = second.apply(&second.sent(now, actor())).unwrap();
        assert_eq!(sent.observe(now).verdict.map(|verdict| verdict.reason), Some(Reason::NoResponse));
        assert!(end(&sent, 60).is_some());
    }

    #[test]
    fn heartbeat_that_is_written_before_the_verdict_wins() {
        let running = after_report(&execution(Some(30)), 5, "RUNNING").unwrap();
        let now = CREATED_AT.plus_seconds(95);
        let change = running.give_up(running.overdue_verdict(now).unwrap(), now, actor());
        let active = after_report(&running, 94, r#"{"status":"IN_PROGRESS","seq":1}"#).unwrap();
        assert_eq!(active.apply(&change), None);
        assert!(running.apply(&change).is_some());
    }
}
