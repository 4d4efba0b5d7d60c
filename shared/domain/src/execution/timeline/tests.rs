//! Tests of timelines, entry by entry.

use super::*;

use crate::command::delivery::Delivery;
use crate::command::retry::{Retry, RetryOptions};
use crate::execution::channel::Channel;
use crate::execution::fixtures::{CREATED_AT, after_report, command, report, thing};
use crate::execution::next_action::NextAction;

fn at(seconds: u32) -> Timestamp {
    CREATED_AT.plus_seconds(seconds)
}

fn retried(delivery: Delivery) -> Execution {
    let on = Some(vec!["NO_RESPONSE", "FAILED"]);
    let options = RetryOptions { on, wait: Some(10), base: Some(0), ..RetryOptions::default() };
    let mut command = command(delivery, None);
    command.definition.retry = Retry::new(&options, 60).ok();
    Execution::create(&command, &thing(), Channel::of(&command, None))
}

fn after_next_write(row: &Execution, seconds: u32, actor: &'static str) -> Execution {
    match row.next_action(at(seconds), &Actor::function(actor)) {
        NextAction::Write(change) => row.apply(&change).expect("the condition holds"),
        other => panic!("{other:?}"),
    }
}

fn claimed_and_sent(row: &Execution, seconds: u32) -> Execution {
    let claim = row.claim(at(seconds), "token").expect("it may be sent");
    let claimed = row.apply(&claim).expect("the condition holds");
    claimed.apply(&claimed.sent(at(seconds), Actor::function("reconcile-commands"))).expect("the condition holds")
}

fn queued(row: &Execution, seconds: u32) -> Execution {
    row.apply(&row.queued(at(seconds), Actor::function("command-api"))).expect("the condition holds")
}

fn ended(row: &Execution, seconds: u32, word: &str) -> Execution {
    let attempt = row.attempt;
    let text = format!(r#"{{"status":"{word}","attempt":{attempt},"statusReason":{{"reasonCode":"NO_POWER"}}}}"#);
    let change = row.finish(&report(row, &text), at(seconds), false);
    change.and_then(|change| row.apply(&change)).expect("the condition holds")
}

/// Each entry in a line: time, attempt, status, reason, device's reason, actor, channel.
fn lines(row: &Execution, seconds: u32) -> Vec<String> {
    let line = |entry: TimelineEntry| {
        let seconds = (entry.at.as_millis() - CREATED_AT.as_millis()) / 1000;
        let (status, reason, device_reason) = match entry.event {
            TimelineEvent::Status { status, reason, device_reason } => (status.as_str(), reason, device_reason),
            TimelineEvent::Delivery(delivery) => (delivery.as_str(), None, None),
        };
        let rest = [reason, device_reason, entry.actor.map(|actor| actor.to_string()), entry.channel];
        let rest: Vec<_> = rest.into_iter().map(|part| part.unwrap_or("-".to_owned())).collect();
        format!("+{seconds} {} {status} {}", entry.attempt, rest.join(" "))
    };
    row.timeline(at(seconds)).into_iter().map(line).collect()
}

#[test]
fn timeline_shows_every_attempt_and_its_failure() {
    let second = claimed_and_sent(&after_next_write(&retried(Delivery::Topic), 10, "reconcile-commands"), 12);
    let running = after_report(&second, 14, r#"{"status":"RUNNING","attempt":2}"#).expect("the condition holds");
    let third = claimed_and_sent(&ended(&running, 15, "FAILED"), 15);
    let mut expected = vec![
        "+0 1 CREATED - - operator -",
        "+0 1 SENT - - command-api topic",
        "+10 1 CREATED NO_RESPONSE - reconcile-commands -",
        "+12 2 SENT - - reconcile-commands topic",
        "+14 2 DELIVERED - - device -",
        "+14 2 IN_PROGRESS - - device -",
        "+15 2 CREATED FAILED NO_POWER device -",
        "+15 3 SENT - - reconcile-commands topic",
    ];
    assert_eq!(lines(&third, 59), expected);
    expected.push("+60 3 TIMED_OUT NO_RESPONSE - - -");
    assert_eq!(lines(&third, 60), expected, "the verdict is not written, so it has no actor");
    *expected.last_mut().unwrap() = "+60 3 TIMED_OUT NO_RESPONSE - track-command -";
    assert_eq!(lines(&after_next_write(&third, 70, "track-command"), 70), expected);
}

#[test]
fn failure_of_the_attempt_before_is_the_end_at_the_ttl_if_no_other_attempt_went_out() {
    let first = retried(Delivery::Direct);
    let first = first.apply(&first.delivered(at(1), Actor::function("command-api"))).expect("the condition holds");
    let second = queued(&ended(&first, 5, "FAILED"), 6);
    let mut expected = vec![
        "+0 1 CREATED - - operator -",
        "+0 1 SENT - - command-api direct",
        "+1 1 DELIVERED - - device -",
        "+5 1 CREATED FAILED NO_POWER device -",
        "+6 2 QUEUED - - command-api direct",
    ];
    assert_eq!(lines(&second, 59), expected);
    expected.push("+60 2 FAILED NO_POWER - - -");
    assert_eq!(lines(&second, 60), expected, "it is not written, so it has no actor");
    *expected.last_mut().unwrap() = "+60 2 FAILED NO_POWER - reconcile-commands -";
    let ended = after_next_write(&second, 70, "reconcile-commands");
    assert_eq!(lines(&ended, 70), expected);
    assert_eq!((ended.reason_code(), ended.is_late()), (Some("NO_POWER"), false));
}

#[test]
fn report_that_overtakes_the_record_of_its_sending_shows_the_sending() {
    let queued = queued(&Execution { retry: None, ..retried(Delivery::Direct) }, 1);
    let claimed = queued.apply(&queued.claim(at(5), "token").expect("it may be sent")).expect("the condition holds");
    let expected = [
        "+0 1 CREATED - - operator -",
        "+1 1 QUEUED - - command-api direct",
        "+5 1 SENT - - - direct",
        "+6 1 DELIVERED - - device -",
        "+6 1 FAILED NO_POWER - device mqtt",
    ];
    assert_eq!(lines(&ended(&claimed, 6, "FAILED"), 6), expected);
}

#[test]
fn cancel_names_its_caller_and_a_late_report_follows_it() {
    let queued = queued(&retried(Delivery::Direct), 1);
    let cancel = queued.cancel(Reason::CanceledByOperator, at(2), false, Actor::caller("bob")).expect("it is open");
    let canceled = queued.apply(&cancel).expect("the condition holds");
    let expected = [
        "+0 1 CREATED - - operator -",
        "+1 1 QUEUED - - command-api direct",
        "+2 1 CANCELED CANCELED_BY_OPERATOR - bob -",
    ];
    assert_eq!(lines(&canceled, 9), expected, "it was not sent");
    let late = ended(&canceled, 9, "FAILED");
    assert_eq!(lines(&late, 9).last().map(String::as_str), Some("+9 1 FAILED NO_POWER - device mqtt"));
}

#[test]
fn execution_of_a_fleet_names_the_function_that_sent_it() {
    for (delivery, sender) in
        [(Delivery::Topic, "dispatch-commands topic"), (Delivery::Broadcast, "fan-out-command broadcast")]
    {
        let command = command(delivery, None);
        let channel = Channel::of(&command, None);
        let row = Execution::create_in_batch(&command, &thing(), 3, CREATED_AT, channel);
        let expected = ["+0 1 CREATED - - operator -".to_owned(), format!("+0 1 SENT - - {sender}")];
        assert_eq!(lines(&row, 1), expected);
    }
}
