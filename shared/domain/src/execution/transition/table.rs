//! The table of transitions in `transitions.md`, computed from the code: a test compares the two.

use std::fmt::Write;

use crate::command::delivery::Delivery;
use crate::command::retry::RetryOptions;
use crate::execution::channel::Channel;
use crate::execution::fixtures::{self, CREATED_AT, actor, after_report, create, in_lane, report};
use crate::execution::next_action::NextAction;
use crate::execution::online::OnlineAction;
use crate::execution::row::Execution;
use crate::status::{Reason, Status};
use crate::timestamp::Timestamp;

/// The text above the table.
const HEAD: &str = "\
# The state machine

A row of the table is a state of an execution, a column is an event, and a cell is the state after the event. `-` means
that nothing changes: the event is stale, or not allowed. A provisional status is set by the cloud, and a report of the
device overrides it; a final status is reported by the device, and never changes.
";

fn retried() -> Execution {
    let on = Some(vec!["NO_RESPONSE", "HEARTBEAT_LOST", "FAILED"]);
    fixtures::retried(Some(5), &RetryOptions { on, wait: Some(10), ..RetryOptions::default() })
}

/// Every state of an execution, with a row in that state.
pub(crate) fn states() -> Vec<(&'static str, Execution)> {
    let pending = create(Delivery::Direct, Some(5));
    let after = |row: &Execution, change| row.apply(&change).unwrap();
    let queued = after(&pending, pending.queued(CREATED_AT, actor()));
    let sent = after(&pending, pending.sent(CREATED_AT, actor()));
    let running = after_report(&sent, 5, "RUNNING").unwrap();
    let retried_sent = after(&retried(), retried().sent(CREATED_AT, actor()));
    let failed = report(&retried(), "FAILED");
    let failed = after(&retried(), retried().finish(&failed, at(5), false).unwrap());
    let canceled = pending.cancel(Reason::CanceledByOperator, CREATED_AT, false, actor()).unwrap();
    let after_deadline = |row: &Execution, seconds| after_time(row, seconds).unwrap();
    vec![
        ("CREATED, PENDING", pending.clone()),
        ("CREATED, waiting in its lane", in_lane(Channel::Direct)),
        ("CREATED, QUEUED", queued.clone()),
        ("CREATED, PENDING, claimed", after(&queued, queued.claim(CREATED_AT, "token").unwrap())),
        ("CREATED, SENT", sent.clone()),
        ("CREATED, DELIVERED", after(&pending, pending.delivered(CREATED_AT, actor()))),
        ("CREATED, SENT, with retries", retried_sent.clone()),
        ("CREATED, PENDING, attempt 2", after_deadline(&retried_sent, 10)),
        ("CREATED, QUEUED, attempt 2 after FAILED", after(&failed, failed.queued(at(6), actor()))),
        ("IN_PROGRESS", running.clone()),
        ("IN_PROGRESS, with retries", after_report(&retried(), 5, "RUNNING").unwrap()),
        ("TIMED_OUT, provisional (EXPIRED)", after_deadline(&queued, 61)),
        ("TIMED_OUT, provisional (HEARTBEAT_LOST)", after_deadline(&running, 21)),
        ("CANCELED, provisional", after(&pending, canceled)),
        ("FAILED, final", after_report(&sent, 5, "FAILED").unwrap()),
        ("REJECTED, final", after_report(&sent, 5, "REJECTED").unwrap()),
        ("TIMED_OUT, final", after_report(&sent, 5, r#"{"status":"TIMED_OUT"}"#).unwrap()),
        ("SUCCEEDED, final", after_report(&sent, 5, "SUCCEEDED").unwrap()),
    ]
}

/// The row after the transition that is due `seconds` after its creation.
fn after_time(row: &Execution, seconds: u32) -> Option<Execution> {
    match row.next_action(at(seconds), &actor()) {
        NextAction::Write(change) if change.is_transition() => row.apply(&change),
        _ => None,
    }
}

/// The row after a report of its attempt, six seconds after its creation.
fn after_status_report(row: &Execution, status: &str) -> Option<Execution> {
    let report = report(row, &format!(r#"{{"status":"{status}","attempt":{}}}"#, row.attempt));
    let change = report.change(row.key.clone(), at(6));
    let change = if change.is_terminal() { row.finish(&report, at(6), false) } else { Some(change) };
    change.and_then(|change| row.apply(&change))
}

fn cell(before: &Execution, after: Option<Execution>) -> String {
    let Some(after) = after else { return "-".to_owned() };
    assert!(after.progress >= before.progress, "progress never decreases");
    let mut text = after.status.to_string();
    if after.status == Status::Created {
        let _ = write!(text, ", {}", after.delivery_status);
    }
    if after.attempt > before.attempt {
        let _ = write!(text, ", attempt {}", after.attempt);
    }
    if let Some(verdict) = after.verdict.filter(|_| after.outcome.is_none() && before.verdict.is_none()) {
        let _ = write!(text, " ({})", verdict.reason);
    }
    text
}

fn after_cancel(row: &Execution, force: bool) -> Option<Execution> {
    let change = row.cancel(Reason::CanceledByOperator, at(6), force, actor());
    change.ok().and_then(|change| row.apply(&change))
}

/// The row after its device has subscribed, 20 seconds after its creation.
fn after_subscription(row: &Execution) -> Option<Execution> {
    let change = match row.online_action(at(20), true) {
        OnlineAction::Nothing => None,
        OnlineAction::Send => row.claim(at(20), "token"),
        OnlineAction::SendAgain => row.claim_again(at(20), at(20), "token"),
        OnlineAction::SendAgainLater => row.send_again_later(at(20), actor()),
    };
    change.and_then(|change| row.apply(&change))
}

type Event = (&'static str, fn(&Execution) -> Option<Execution>);

fn at(seconds: u32) -> Timestamp {
    CREATED_AT.plus_seconds(seconds)
}

const EVENTS: [Event; 16] = [
    ("claimed", |row| row.claim(at(20), "token").and_then(|change| row.apply(&change))),
    ("subscribed", after_subscription),
    ("sent", |row| row.apply(&row.sent(at(20), actor()))),
    ("not connected", |row| row.apply(&row.queued(at(1), actor()))),
    ("refused", |row| row.apply(&row.send_failed(at(1), actor(), true))),
    ("PUBACK", |row| row.apply(&row.delivered(at(1), actor()))),
    ("IN_PROGRESS", |row| after_status_report(row, "IN_PROGRESS")),
    ("SUCCEEDED", |row| after_status_report(row, "SUCCEEDED")),
    ("FAILED", |row| after_status_report(row, "FAILED")),
    ("REJECTED", |row| after_status_report(row, "REJECTED")),
    ("TIMED_OUT", |row| after_status_report(row, "TIMED_OUT")),
    ("silence", |row| after_time(row, 21)),
    ("ttl", |row| after_time(row, 60)),
    ("timeout", |row| after_time(row, 600)),
    ("cancel", |row| after_cancel(row, false)),
    ("force", |row| after_cancel(row, true)),
];

#[test]
fn documented_table_is_the_table_of_the_code() {
    let mut table = HEAD.to_owned();
    let names: Vec<&str> = EVENTS.iter().map(|(name, _)| *name).collect();
    let _ = write!(table, "\n| | {} |\n|---|{}\n", names.join(" | "), "---|".repeat(names.len()));
    for (name, row) in states() {
        let cells: Vec<String> = EVENTS.iter().map(|(_, event)| cell(&row, event(&row))).collect();
        let _ = writeln!(table, "| {name} | {} |", cells.join(" | "));
    }
    let documented = include_str!("transitions.md");
    assert!(table.trim() == documented.trim(), "transition/transitions.md should be:\n{table}");
}
