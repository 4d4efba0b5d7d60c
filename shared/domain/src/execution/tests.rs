//! What a row says at a given time.

use proptest::prelude::*;

use super::*;
use crate::{Command, Control, Deadlines, Definition, Delivery, Fingerprint, Report, Target};

pub(crate) const BORN: Timestamp = Timestamp::from_millis(1_700_000_000_123);

pub(crate) fn thing() -> ThingName {
    ThingName::parse("pump-7").unwrap()
}

pub(crate) fn command(delivery: Delivery, heartbeat: Option<i64>) -> Command {
    Command {
        id: CommandId::from_request(BORN, "request"),
        definition: Definition {
            name: CommandName::parse("reboot").unwrap(),
            payload: None,
            target: Target::Thing(thing()),
            delivery,
            shadow: None,
            retry: None,
            lane: None,
            supersede: false,
            deadlines: Deadlines::new(Some(60), Some(600), heartbeat).unwrap(),
        },
        created_at: BORN,
        created_by: By::caller("operator"),
        fingerprint: Fingerprint::from_stored("fingerprint"),
        control: Control::default(),
    }
}

pub(crate) fn create(delivery: Delivery, heartbeat: Option<i64>) -> Execution {
    let command = command(delivery, heartbeat);
    Execution::create(&command, &thing(), Via::of(&command, None), 60)
}

pub(crate) fn execution(heartbeat: Option<i64>) -> Execution {
    create(Delivery::Direct, heartbeat)
}

/// The execution after the device has said this, so many seconds after its creation.
pub(crate) fn told(execution: &Execution, seconds: u32, payload: &str) -> Option<Execution> {
    let report = Report::decode("cmd/pump-7/resp", payload.as_bytes()).unwrap();
    execution.apply(&report.change(execution.key.clone(), BORN.plus_seconds(seconds)))
}

fn seen_after(execution: &Execution, seconds: u32) -> (Status, Option<Reason>) {
    let seen = execution.observe(BORN.plus_seconds(seconds));
    (seen.status, seen.verdict.map(|verdict| verdict.reason))
}

#[test]
fn past_its_ttl_it_has_expired_whether_or_not_anyone_wrote_so() {
    let execution = execution(None);
    let queued = execution.apply(&execution.queued(BORN, By::device())).unwrap();
    assert_eq!(seen_after(&execution, 59), (Status::Created, None));
    assert_eq!(seen_after(&execution, 60), (Status::TimedOut, Some(Reason::NoResponse)), "it may have gone out");
    assert_eq!(seen_after(&queued, 60), (Status::TimedOut, Some(Reason::Expired)));
    assert_eq!(execution.observe(BORN.plus_seconds(9999)).verdict.unwrap().at, execution.start_by);
}

#[test]
fn what_has_begun_does_not_expire_but_times_out() {
    let running = told(&execution(None), 5, "RUNNING").unwrap();
    assert_eq!(seen_after(&running, 599), (Status::InProgress, None));
    assert_eq!(seen_after(&running, 600), (Status::TimedOut, Some(Reason::ExecutionTimeout)));
}

#[test]
fn three_silent_intervals_are_a_lost_heartbeat() {
    let running = told(&execution(Some(30)), 5, "RUNNING").unwrap();
    assert_eq!(seen_after(&running, 94), (Status::InProgress, None));
    assert_eq!(seen_after(&running, 95), (Status::TimedOut, Some(Reason::HeartbeatLost)));
    let mut beating = running;
    for (seq, seconds) in (1..).zip((90..600).step_by(85)) {
        beating = told(&beating, seconds, &format!(r#"{{"status":"IN_PROGRESS","seq":{seq}}}"#)).unwrap();
    }
    let late = format!(r#"{{"status":"IN_PROGRESS","seq":{}}}"#, 99);
    assert_eq!(told(&beating, 599 + 95, &late), None, "what reading has shown as ended is not opened again");
    let running = told(&beating, 599, &late).unwrap();
    assert_eq!(seen_after(&running, 600), (Status::TimedOut, Some(Reason::ExecutionTimeout)));
}

#[test]
fn what_has_ended_stays_so() {
    let done = told(&execution(Some(30)), 5, "SUCCEEDED").unwrap();
    assert_eq!(seen_after(&done, 99_999), (Status::Succeeded, None));
    assert!(!done.is_late());
}

#[test]
fn a_word_after_the_deadline_is_late_whether_or_not_the_verdict_was_written() {
    let unwritten = execution(None);
    let written = unwritten
        .apply(&unwritten.give_up(unwritten.overdue(BORN.plus_seconds(60)).unwrap(), BORN.plus_seconds(60)))
        .unwrap();
    for execution in [unwritten, written] {
        let done = told(&execution, 61, "SUCCEEDED").unwrap();
        assert_eq!((done.status, done.is_late()), (Status::Succeeded, true));
    }
    let begun = told(&execution(None), 5, "RUNNING").unwrap();
    assert!(!told(&begun, 61, "SUCCEEDED").unwrap().is_late());
    assert!(told(&begun, 600, "FAILED").unwrap().is_late());
}

#[test]
fn what_is_known_not_to_be_there_is_sent_again_at_any_time() {
    let execution = execution(None);
    let queued = execution.apply(&execution.queued(BORN, By::device())).unwrap();
    let refused = execution.apply(&execution.unsent(BORN, By::device(), true)).unwrap();
    for seconds in [0, 1, 59] {
        assert!(queued.is_to_be_sent(BORN.plus_seconds(seconds)));
        assert!(refused.is_to_be_sent(BORN.plus_seconds(seconds)));
    }
    assert!(!queued.is_to_be_sent(BORN.plus_seconds(60)), "it has expired");
    assert!(!execution.apply(&execution.sent(BORN, By::device())).unwrap().is_to_be_sent(BORN.plus_seconds(30)));
    assert!(!execution.apply(&execution.delivered(BORN, By::device())).unwrap().is_to_be_sent(BORN.plus_seconds(30)));
    assert!(!told(&execution, 1, "RUNNING").unwrap().is_to_be_sent(BORN.plus_seconds(30)));
}

#[test]
fn what_nobody_touched_is_sent_again_unless_another_request_may_be_sending_it() {
    for delivery in [Delivery::Direct, Delivery::Topic] {
        let execution = create(delivery, None);
        for (seconds, sent) in [(0, true), (1, false), (9, false), (10, true), (59, true), (60, false)] {
            assert_eq!(execution.is_to_be_sent(BORN.plus_seconds(seconds)), sent, "{delivery:?} {seconds}");
        }
    }
}

#[test]
fn a_report_without_an_id_means_only_what_its_device_may_be_at() {
    let pending = execution(None);
    let after = |seconds| BORN.plus_seconds(seconds);
    let sent = pending.apply(&pending.sent(BORN, By::device())).unwrap();
    assert!(sent.may_be_meant(BORN));
    assert!(!sent.may_be_meant(Timestamp::from_millis(BORN.as_millis() - 1)), "it was asked for later");
    assert!(sent.may_be_meant(after(599)), "it has expired, but its device may still be at it");
    assert!(!sent.may_be_meant(after(600)));
    let expired = sent.apply(&sent.give_up(sent.overdue(after(60)).unwrap(), after(60))).unwrap();
    assert!(expired.may_be_meant(after(61)), "so that its late report is not taken for another's");
    assert!(!told(&sent, 1, "FAILED").unwrap().may_be_meant(after(2)), "its device has ended it");
    assert!(told(&pending, 1, "RUNNING").unwrap().may_be_meant(after(2)));
    assert!(
        !pending.apply(&pending.queued(BORN, By::device())).unwrap().may_be_meant(after(1)),
        "its device has not got it"
    );
    assert!(!pending.apply(&pending.unsent(BORN, By::device(), true)).unwrap().may_be_meant(after(1)));
    assert!(pending.may_be_meant(after(30)), "its proof of delivery may be overtaken, or never be written");
}

proptest! {
    #[test]
    fn what_was_seen_to_have_ended_by_a_deadline_never_reopens(
        begins in proptest::option::of(0..60u32), first in 0..700u32, later in 0..700u32,
    ) {
        let mut execution = execution(Some(30));
        if let Some(begins) = begins {
            execution = told(&execution, begins, "RUNNING").unwrap();
        }
        let seen = execution.observe(BORN.plus_seconds(first));
        if seen.is_terminal() {
            prop_assert!(execution.observe(BORN.plus_seconds(first + later)).is_terminal());
            // A lost heartbeat is found again: a beat heals it.
            if seen.verdict.is_some_and(|verdict| verdict.reason != Reason::HeartbeatLost) {
                prop_assert_eq!(told(&execution, first + later, "RUNNING"), None);
                prop_assert_eq!(told(&execution, first + later, r#"{"status":"IN_PROGRESS","seq":9}"#), None);
            }
        } else {
            // And what is open takes its word.
            let told = told(&execution, first, r#"{"status":"IN_PROGRESS","seq":9}"#);
            prop_assert!(told.is_some());
        }
    }
}
