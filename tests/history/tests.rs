//! Each property: a history that keeps it, and one that breaks it.

use serde_json::{Value, json};

use super::*;

const START_BY: i64 = 60_000;

/// A row at this time, with this register and status; what else it has follows from them.
fn row(at_ms: i64, attempt: u64, rank: u64, status: &str) -> Image {
    let register = if rank == 15 { 65535 } else { attempt };
    let progress = (register << 20) | (rank << 16);
    let mut item = json!({
        "pk": {"S": "T#pump"}, "sk": {"S": "E#one"}, "start_by": {"N": START_BY.to_string()},
        "progress": {"N": progress.to_string()}, "status": {"S": status}, "attempt": {"N": attempt.to_string()},
    });
    let mut put = |name: &str, value: Value| item[name] = value;
    match rank {
        0..8 => {
            put("due_at", json!({"N": "60"}));
            put("due_shard", json!({"S": "3"}));
        }
        8 | 9 => put("verdict", json!({"S": "NO_RESPONSE"})),
        _ => put("finished_at", json!({"N": at_ms.to_string()})),
    }
    Image::read(at_ms, &item).expect("a row")
}

fn with(mut image: Image, name: &str, value: &str) -> Image {
    image.attributes.insert(name.to_owned(), value.to_owned());
    image
}

fn without(mut image: Image, name: &str) -> Image {
    image.attributes.remove(name);
    image
}

fn word(at_ms: i64, attempt: u64, said: Said) -> Word {
    Word { at_ms, thing: "pump".into(), execution: "one".into(), attempt, said, named: true, failed: false }
}

fn run(at_ms: i64, attempt: u64) -> Run {
    Run { at_ms, thing: "pump".into(), execution: "one".into(), attempt }
}

fn history(rows: &[Image], words: &[Word]) -> History {
    History { rows: rows.to_vec(), words: words.to_vec(), is_over: true, tolerance_ms: 10, ..History::default() }
}

/// The properties that a history breaks, each once.
fn broken(history: &History) -> Vec<&'static str> {
    let mut broken: Vec<_> = violations(history).iter().map(|violation| violation.property).collect();
    broken.dedup();
    broken
}

fn succeeded() -> History {
    let rows = [row(0, 1, 0, "CREATED"), row(5, 1, 2, "IN_PROGRESS"), row(9, 1, 15, "SUCCEEDED")];
    let mut history = history(&rows, &[word(8, 1, Said::Succeeded)]);
    history.accepted.push(("pump".into(), "one".into()));
    history.runs.push(run(4, 1));
    history.deliveries.push(Delivery {
        at_ms: 4,
        thing: "pump".into(),
        execution: "one".into(),
        attempt: 1,
        expires_at_ms: START_BY,
    });
    history
}

#[test]
fn a_life_without_a_fault_violates_nothing() {
    assert_eq!(violations(&succeeded()), []);
    assert_eq!(violations(&History::default()), []);
}

#[test]
fn what_was_accepted_is_stored_and_ends() {
    let mut unstored = succeeded();
    unstored.accepted.push(("pump".into(), "two".into()));
    assert_eq!(broken(&unstored), ["lost"]);
    let mut open = history(&[row(0, 1, 0, "CREATED")], &[]);
    assert_eq!(broken(&open), ["lost", "due"]);
    open.is_over = false;
    assert_eq!(violations(&open), [], "there is time yet");
    let owed = with(with(row(70, 1, 8, "TIMED_OUT"), "due_at", "61"), "due_shard", "3");
    assert_eq!(broken(&history(&[row(0, 1, 0, "CREATED"), owed], &[])), ["due"]);
}

#[test]
fn a_row_moves_as_the_register_does() {
    let born = row(0, 1, 0, "CREATED");
    let illegal = |rows: &[Image]| assert_ne!(legal::check(&history(rows, &[])), [], "{rows:#?}");
    let failed = row(9, 1, 12, "FAILED");
    assert_eq!(legal::check(&history(&[born.clone(), failed.clone(), row(10, 1, 15, "SUCCEEDED")], &[])), []);
    illegal(&[row(5, 1, 8, "TIMED_OUT")]);
    illegal(&[born.clone(), failed.clone(), row(10, 1, 8, "TIMED_OUT")]);
    illegal(&[born.clone(), row(10, 1, 8, "CANCELED")]);
    illegal(&[born.clone(), row(9, 2, 8, "TIMED_OUT")]);
    illegal(&[born.clone(), failed.clone(), row(10, 2, 0, "CREATED"), row(11, 2, 12, "FAILED")]);
    illegal(&[born.clone(), without(row(9, 1, 8, "TIMED_OUT"), "verdict")]);
    illegal(&[born.clone(), without(failed.clone(), "finished_at")]);
    illegal(&[born.clone(), with(failed.clone(), "start_by", "61000")]);
    illegal(&[born.clone(), failed.clone(), with(failed.clone(), "result", "other")]);
    illegal(&[born.clone(), failed.clone(), with(row(10, 1, 12, "REJECTED"), "finished_at", "9")]);
    illegal(&[born.clone(), without(row(5, 1, 2, "IN_PROGRESS"), "due_at"), failed]);
}

#[test]
fn a_retry_policy_opens_the_next_attempt_after_what_it_names() {
    let policy = |image| with(image, "retry", r#"{"attempts":3,"on":["FAILED"]}"#);
    let life = |second: &str, rank| {
        [
            policy(row(0, 1, 0, "CREATED")),
            policy(row(9, 1, rank, second)),
            policy(row(20, 2, 0, "CREATED")),
            policy(row(30, 1, 15, "SUCCEEDED")),
        ]
        .map(|image| if image.at_ms == 30 { with(image, "attempt", "2") } else { image })
    };
    let said = [word(8, 1, Said::Failed), word(8, 1, Said::Rejected), word(29, 2, Said::Succeeded)];
    assert_eq!(violations(&history(&life("FAILED", 12), &said)), []);
    assert_eq!(broken(&history(&life("REJECTED", 12), &said)), ["illegal"]);
}

#[test]
fn nothing_runs_twice_nor_after_its_time() {
    let with_runs = |runs: &[Run]| {
        let mut history = succeeded();
        history.runs = runs.to_vec();
        history
    };
    assert_eq!(broken(&with_runs(&[run(4, 1), run(5, 2)])), [""; 0], "another attempt is another run");
    assert_eq!(broken(&with_runs(&[run(4, 1), run(5, 1)])), ["twice"]);
    assert_eq!(broken(&with_runs(&[run(START_BY + 10, 1)])), [""; 0], "its clock may be off");
    assert_eq!(broken(&with_runs(&[run(START_BY + 11, 1)])), ["expired"]);
}

#[test]
fn what_devices_are_asked_is_what_is_stored() {
    let with_delivery = |change: fn(&mut Delivery)| {
        let mut history = succeeded();
        change(&mut history.deliveries[0]);
        history
    };
    assert_eq!(broken(&with_delivery(|delivery| delivery.at_ms = -1)), ["unknown"]);
    assert_eq!(broken(&with_delivery(|delivery| delivery.attempt = 2)), ["unknown"]);
    assert_eq!(broken(&with_delivery(|delivery| delivery.execution = "two".into())), ["unknown"]);
    assert_eq!(broken(&with_delivery(|delivery| delivery.expires_at_ms += 1000)), ["expired"]);
}

#[test]
fn a_devices_word_is_in_the_row() {
    let rows = [row(0, 1, 0, "CREATED"), row(70, 1, 8, "TIMED_OUT")];
    let mut failed = word(8, 1, Said::Failed);
    assert_eq!(broken(&history(&rows, &[failed.clone()])), ["unheard"]);
    failed.failed = true;
    assert_eq!(violations(&history(&rows, &[failed])), [], "someone will find it on the queue");
    let rows = [row(0, 1, 0, "CREATED"), row(9, 1, 12, "FAILED")];
    let words = [word(8, 1, Said::Failed), word(9, 1, Said::Succeeded)];
    assert_eq!(broken(&history(&rows, &words)), ["unheard"], "a success counts more than a failure");
}

#[test]
fn a_row_says_nothing_that_no_device_said() {
    let rows = [row(0, 1, 0, "CREATED"), row(9, 1, 12, "FAILED")];
    assert_eq!(broken(&history(&rows, &[])), ["untrue"]);
    assert_eq!(broken(&history(&rows, &[word(10, 1, Said::Failed)])), ["untrue"], "not before it said so");
    let mut others = word(8, 1, Said::Failed);
    others.execution = "two".into();
    assert_eq!(broken(&history(&rows, &[others.clone()])), ["untrue"]);
    others.named = false;
    assert_eq!(violations(&history(&rows, &[others])), [], "it said so of whatever it was at");
}
