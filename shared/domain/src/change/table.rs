//! The table of transitions in the documentation, made from the code: whoever changes one has to look at the other.

use std::fmt::Write;

use crate::{
    Asked, By, Delivery, Execution, Lane, LaneName, OnFailure, Owed, Reason, Report, Retry, Status, Timestamp, Topic,
    Via,
    execution::tests::{BORN, command, create, told},
};

/// What stands above the table.
const HEAD: &str = "\
# The state machine

Every change of an execution is one of these. A row of the table is where an execution is; a column is what happens; a cell is where it
is then. `-`: nothing changes, since that is old news, or not allowed. Soft is the cloud's guess, hard is the device's own word.
";

fn by() -> By {
    By::function("test")
}

fn retrying() -> Execution {
    let mut command = command(Delivery::Direct, Some(5));
    let asked = Asked { on: Some(vec!["NO_RESPONSE", "HEARTBEAT_LOST", "FAILED"]), wait: Some(10), ..Asked::default() };
    command.definition.retry = Some(Retry::new(&asked, 60).unwrap());
    Execution::create(&command, &crate::execution::tests::thing(), Via::Direct, 60)
}

fn in_lane() -> Execution {
    let mut command = command(Delivery::Direct, None);
    command.definition.lane = Some(Lane { name: LaneName::parse("valve").unwrap(), on_failure: OnFailure::Stop });
    Execution::create(&command, &crate::execution::tests::thing(), Via::Direct, 60)
}

/// Everywhere that an execution can be.
pub(crate) fn places() -> Vec<(&'static str, Execution)> {
    let pending = create(Delivery::Direct, Some(5));
    let after = |row: &Execution, change| row.apply(&change).unwrap();
    let given_up = |row: &Execution, seconds| owed(row, seconds).unwrap();
    let queued = after(&pending, pending.queued(BORN, by()));
    let sent = after(&pending, pending.sent(BORN, By::device()));
    let running = told(&sent, 5, "RUNNING").unwrap();
    let again = owed(&after(&retrying(), retrying().sent(BORN, By::device())), 10).unwrap();
    let canceled = pending.cancel(Reason::CanceledByOperator, BORN, false, by()).unwrap();
    vec![
        ("CREATED, PENDING", pending.clone()),
        ("CREATED, waiting in its lane", in_lane()),
        ("CREATED, QUEUED", queued.clone()),
        ("CREATED, PENDING, claimed", after(&queued, queued.claim(BORN, "me").unwrap())),
        ("CREATED, SENT", sent.clone()),
        ("CREATED, DELIVERED", after(&pending, pending.delivered(BORN, By::device()))),
        ("CREATED, SENT, with retries", after(&retrying(), retrying().sent(BORN, By::device()))),
        ("CREATED, PENDING, attempt 2", again),
        ("IN_PROGRESS", running.clone()),
        ("IN_PROGRESS, with retries", told(&retrying(), 5, "RUNNING").unwrap()),
        ("TIMED_OUT, soft (EXPIRED)", given_up(&queued, 61)),
        ("TIMED_OUT, soft (HEARTBEAT_LOST)", given_up(&running, 21)),
        ("CANCELED, soft", after(&pending, canceled)),
        ("FAILED, hard", told(&sent, 5, "FAILED").unwrap()),
        ("REJECTED, hard", told(&sent, 5, "REJECTED").unwrap()),
        ("TIMED_OUT, hard", told(&sent, 5, r#"{"status":"TIMED_OUT"}"#).unwrap()),
        ("SUCCEEDED, hard", told(&sent, 5, "SUCCEEDED").unwrap()),
    ]
}

/// What is owed to it so many seconds after its creation, done.
fn owed(row: &Execution, seconds: u32) -> Option<Execution> {
    match row.owed(BORN.plus_seconds(seconds)) {
        Owed::Change(change) if change.moves() => row.apply(&change),
        _ => None,
    }
}

/// What a report of the row's attempt makes of it, six seconds after its creation.
fn reports(row: &Execution, word: &str) -> Option<Execution> {
    let text = format!(r#"{{"status":"{word}","attempt":{}}}"#, row.attempt);
    let report = Report::decode(Topic::response(&row.key.thing).as_str(), text.as_bytes()).unwrap();
    let at = BORN.plus_seconds(6);
    let change = report.change(row.key.clone(), at);
    let change = if change.is_terminal() { row.finish(&report, at, false) } else { Some(change) };
    change.and_then(|change| row.apply(&change))
}

fn shown(before: &Execution, after: Option<Execution>) -> String {
    let Some(after) = after else { return "-".to_owned() };
    assert!(after.progress >= before.progress, "the register never falls");
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

type Event = (&'static str, fn(&Execution) -> Option<Execution>);

fn at(seconds: u32) -> Timestamp {
    BORN.plus_seconds(seconds)
}

const EVENTS: [Event; 15] = [
    ("claimed", |row| row.claim(at(20), "me").and_then(|change| row.apply(&change))),
    ("out", |row| row.apply(&row.sent(at(20), by()))),
    ("not connected", |row| row.apply(&row.queued(at(1), by()))),
    ("refused", |row| row.apply(&row.unsent(at(1), by(), true))),
    ("PUBACK", |row| row.apply(&row.delivered(at(1), by()))),
    ("IN_PROGRESS", |row| reports(row, "IN_PROGRESS")),
    ("SUCCEEDED", |row| reports(row, "SUCCEEDED")),
    ("FAILED", |row| reports(row, "FAILED")),
    ("REJECTED", |row| reports(row, "REJECTED")),
    ("TIMED_OUT", |row| reports(row, "TIMED_OUT")),
    ("silence", |row| owed(row, 21)),
    ("ttl", |row| owed(row, 60)),
    ("timeout", |row| owed(row, 600)),
    ("cancel", |row| row.cancel(Reason::CanceledByOperator, at(6), false, by()).ok().and_then(|c| row.apply(&c))),
    ("force", |row| row.cancel(Reason::CanceledByOperator, at(6), true, by()).ok().and_then(|c| row.apply(&c))),
];

#[test]
fn the_documented_table_is_the_codes() {
    let mut table = HEAD.to_owned();
    let names: Vec<&str> = EVENTS.iter().map(|(name, _)| *name).collect();
    let _ = write!(table, "\n| | {} |\n|---|{}\n", names.join(" | "), "---|".repeat(names.len()));
    for (name, row) in places() {
        let cells: Vec<String> = EVENTS.iter().map(|(_, happens)| shown(&row, happens(&row))).collect();
        let _ = writeln!(table, "| {name} | {} |", cells.join(" | "));
    }
    let documented = include_str!("transitions.md");
    assert!(table.trim() == documented.trim(), "change/transitions.md should be:\n{table}");
}
