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
        "progress": {"N": progress.to_string()}, "status": {"S": status}, "sent_at": {"N": "0"},
        "attempt": {"N": attempt.to_string()},
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
    illegal(&[born.clone(), failed.clone(), row(10, 1, 15, "SUCCEEDED")]);
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
    let life = |reason: &str, attempt: u64| {
        let rows = [row(0, 1, 0, "CREATED"), row(5, 1, 2, "IN_PROGRESS"), row(9, attempt, 0, "CREATED")];
        let steps = format!(r#"[{{"S":"9 1 {reason}"}}]"#);
        history(&rows.map(|image| with(with(image, "retry", "2 4 30 5 300"), "steps", &steps)), &[])
    };
    assert_eq!(legal::check(&life("FAILED", 2)), [], "4 is FAILED");
    assert_ne!(legal::check(&life("NO_RESPONSE", 2)), []);
    assert_ne!(legal::check(&life("FAILED", 3)), [], "2 attempts");
    let mut ended = life("FAILED", 2);
    ended.rows[1] = with(row(5, 1, 12, "FAILED"), "retry", "2 4 30 5 300");
    assert_ne!(legal::check(&ended), []);
}

/// Two in a lane: when the first one has ended, and how, and when the second goes out.
fn in_a_lane(ended: Image, second_is_out_before: bool) -> History {
    let lane = |image: Image, name: &str| {
        let mut image = with(with(image, "lane", "valve"), "on_failure", "stop");
        image.execution = name.to_owned();
        image
    };
    let out = |image| with(image, "sent_at", "1");
    let mut rows = vec![
        lane(out(row(0, 1, 0, "CREATED")), "one"),
        lane(without(row(1, 1, 0, "CREATED"), "sent_at"), "two"),
        lane(ended, "one"),
        lane(out(row(20, 1, 0, "CREATED")), "two"),
    ];
    if second_is_out_before {
        rows.swap(2, 3);
    }
    let ids = vec!["one".to_owned(), "two".to_owned()];
    let mut history = history(&rows, &[]);
    history.lanes.push(Queued { after: 2, thing: "pump".into(), lane: "valve".into(), ids });
    history
}

#[test]
fn in_a_lane_one_goes_out_after_the_other() {
    assert_eq!(lanes::check(&in_a_lane(row(9, 1, 15, "SUCCEEDED"), false)), []);
    assert_ne!(lanes::check(&in_a_lane(row(9, 1, 15, "SUCCEEDED"), true)), []);
    assert_ne!(lanes::check(&in_a_lane(row(9, 1, 12, "FAILED"), false)), [], "the lane stops");
    let skips = |mut history: History| {
        history.rows.iter_mut().for_each(|row| *row = with(row.clone(), "on_failure", "skip"));
        history
    };
    assert_eq!(lanes::check(&skips(in_a_lane(row(9, 1, 12, "FAILED"), false))), []);
    let superseding = |status: &str, delivery: &str| {
        let mut history = in_a_lane(with(row(9, 1, 8, status), "delivery_status", delivery), false);
        history.rows.iter_mut().for_each(|row| *row = with(row.clone(), "command_id", "newer"));
        history.superseding.insert("newer".to_owned());
        lanes::check(&history)
    };
    assert_eq!(superseding("TIMED_OUT", "QUEUED"), [], "it takes the place of one that was never delivered");
    assert_ne!(superseding("TIMED_OUT", "DELIVERED"), [], "and of no other");
    let replaced = with(row(9, 1, 9, "CANCELED"), "verdict", "SUPERSEDED");
    assert_eq!(lanes::check(&in_a_lane(replaced, false)), []);
}

#[test]
fn what_was_called_off_does_not_start() {
    let mut history = succeeded();
    history.cancels.push(Told { at_ms: 3, thing: "pump".into(), execution: "one".into() });
    assert_eq!(broken(&history), ["canceled"]);
    history.rows.iter_mut().for_each(|row| *row = without(row.clone(), "sent_at"));
    history.cancels.clear();
    assert_eq!(broken(&history), ["unclaimed"]);
}

#[test]
fn in_the_end_everything_agrees_and_is_tidy() {
    let over = succeeded;
    let (thing, execution) = ("pump".to_owned(), "one".to_owned());
    let mut read = over();
    read.reads.push(Read { thing: thing.clone(), execution: execution.clone(), status: "FAILED".into() });
    assert_eq!(broken(&read), ["read"]);
    let mut left = over();
    left.left.push(Left { thing: thing.clone(), execution: execution.clone(), section: "desired" });
    assert_eq!(broken(&left), ["left"]);
    left.words.push(Word { failed: true, ..word(10, 1, Said::Succeeded) });
    assert_eq!(broken(&left), ["left"], "a request is withdrawn, whatever else has failed");
    left.left[0].section = "reported";
    assert_eq!(broken(&left), [] as [&str; 0], "its event is on the failure queue");
    left.words.pop();
    assert_eq!(broken(&left), ["left"]);
    let mut stuck = over();
    stuck.lanes.push(Queued { after: 0, thing, lane: "valve".into(), ids: vec![execution] });
    assert_eq!(broken(&stuck), [] as [&str; 0], "it has left, and whoever comes next takes it out");
    stuck.rows.iter_mut().for_each(|row| *row = with(row.clone(), "in_lane", "true"));
    assert_eq!(broken(&stuck), ["stuck"]);
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
    let forgetting = |at_ms: i64, thing: &str| {
        let mut history = with_runs(&[run(4, 1), run(8, 1)]);
        history.forgot.push((at_ms, thing.to_owned()));
        broken(&history)
    };
    assert_eq!(forgetting(6, "pump"), [""; 0], "it can't know better");
    assert_eq!([forgetting(3, "pump"), forgetting(9, "pump"), forgetting(6, "valve")], [["twice"]; 3]);
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
    assert_eq!(broken(&with_delivery(|delivery| delivery.at_ms = -1))[0], "unknown");
    assert_eq!(broken(&with_delivery(|delivery| delivery.attempt = 2))[0], "unknown");
    assert_eq!(broken(&with_delivery(|delivery| delivery.execution = "two".into()))[0], "unknown");
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
    assert_eq!(violations(&history(&rows, &words)), [], "its first word about its end is final");
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
