//! Tests of verdicts, and of how a row reads after a deadline.

use proptest::prelude::*;

use super::*;

use crate::execution::fixtures::{CREATED_AT, actor, after_report, execution};

fn observed_after(execution: &Execution, seconds: u32) -> (Status, Option<Reason>) {
    let observed = execution.observe(CREATED_AT.plus_seconds(seconds));
    (observed.status, observed.verdict.map(|verdict| verdict.reason))
}

#[test]
fn after_its_ttl_it_reads_as_timed_out_before_the_verdict_is_written() {
    let execution = execution(None);
    let queued = execution.apply(&execution.queued(CREATED_AT, actor())).unwrap();
    assert_eq!(observed_after(&execution, 59), (Status::Created, None));
    assert_eq!(observed_after(&execution, 60), (Status::TimedOut, Some(Reason::NoResponse)), "it may have been sent");
    assert_eq!(observed_after(&queued, 60), (Status::TimedOut, Some(Reason::Expired)));
    assert_eq!(execution.observe(CREATED_AT.plus_seconds(9999)).verdict.unwrap().at, execution.start_by);
}

#[test]
fn running_execution_times_out_and_does_not_expire() {
    let running = after_report(&execution(None), 5, "RUNNING").unwrap();
    assert_eq!(observed_after(&running, 599), (Status::InProgress, None));
    assert_eq!(observed_after(&running, 600), (Status::TimedOut, Some(Reason::ExecutionTimeout)));
}

#[test]
fn heartbeat_is_lost_after_three_silent_intervals() {
    let running = after_report(&execution(Some(30)), 5, "RUNNING").unwrap();
    assert_eq!(observed_after(&running, 94), (Status::InProgress, None));
    assert_eq!(observed_after(&running, 95), (Status::TimedOut, Some(Reason::HeartbeatLost)));
    let mut active = running;
    for (seq, seconds) in (1..).zip((90..600).step_by(85)) {
        active = after_report(&active, seconds, &format!(r#"{{"status":"IN_PROGRESS","seq":{seq}}}"#)).unwrap();
    }
    let late = format!(r#"{{"status":"IN_PROGRESS","seq":{}}}"#, 99);
    assert_eq!(after_report(&active, 599 + 95, &late), None, "readers have seen the verdict");
    let running = after_report(&active, 599, &late).unwrap();
    assert_eq!(observed_after(&running, 600), (Status::TimedOut, Some(Reason::ExecutionTimeout)));
}

#[test]
fn ended_execution_has_no_more_deadlines() {
    let done = after_report(&execution(Some(30)), 5, "SUCCEEDED").unwrap();
    assert_eq!(observed_after(&done, 99_999), (Status::Succeeded, None));
    assert!(!done.is_late());
}

#[test]
fn report_after_the_deadline_is_late_whether_or_not_the_verdict_is_written() {
    let unwritten = execution(None);
    let at = CREATED_AT.plus_seconds(60);
    let verdict = unwritten.overdue_verdict(at).unwrap();
    let written = unwritten.apply(&unwritten.give_up(verdict, at, actor())).unwrap();
    for execution in [unwritten, written] {
        let done = after_report(&execution, 61, "SUCCEEDED").unwrap();
        assert_eq!((done.status, done.is_late()), (Status::Succeeded, true));
    }
    let started = after_report(&execution(None), 5, "RUNNING").unwrap();
    assert!(!after_report(&started, 61, "SUCCEEDED").unwrap().is_late());
    assert!(after_report(&started, 600, "FAILED").unwrap().is_late());
}

proptest! {
    #[test]
    fn execution_that_read_as_ended_never_reads_as_open_again(
        starts in proptest::option::of(0..60u32), first in 0..700u32, later in 0..700u32,
    ) {
        let mut execution = execution(Some(30));
        if let Some(starts) = starts {
            execution = after_report(&execution, starts, "RUNNING").unwrap();
        }
        let observed = execution.observe(CREATED_AT.plus_seconds(first));
        if observed.is_terminal() {
            prop_assert!(execution.observe(CREATED_AT.plus_seconds(first + later)).is_terminal());
            // A heartbeat that was sent before the deadline corrects a lost heartbeat.
            if observed.verdict.is_some_and(|verdict| verdict.reason != Reason::HeartbeatLost) {
                prop_assert_eq!(after_report(&execution, first + later, "RUNNING"), None);
                prop_assert_eq!(after_report(&execution, first + later, r#"{"status":"IN_PROGRESS","seq":9}"#), None);
            }
        } else {
            // An open execution accepts a report.
            let running = after_report(&execution, first, r#"{"status":"IN_PROGRESS","seq":9}"#);
            prop_assert!(running.is_some());
        }
    }
}
