//! For each property, histories that have it and histories that violate it. This file builds their entries.

mod devices;
mod final_state;
mod fleets;
mod lanes;
mod rows;

use serde_json::{Value, json};

use super::*;

const START_BY: i64 = 60_000;

/// A row with this progress and status; its other attributes follow from them.
fn row(at_ms: i64, attempt: u64, rank: u64, status: &str) -> RowImage {
    let stored_attempt = if rank == 15 { 65535 } else { attempt };
    let progress = (stored_attempt << 20) | (rank << 16);
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
    RowImage::read(at_ms, &item).expect("the item is a row")
}

fn with(mut image: RowImage, name: &str, value: &str) -> RowImage {
    image.attributes.insert(name.to_owned(), value.to_owned());
    image
}

fn without(mut image: RowImage, name: &str) -> RowImage {
    image.attributes.remove(name);
    image
}

fn report(at_ms: i64, attempt: u64, status: ReportedStatus) -> Report {
    Report {
        at_ms,
        thing: "pump".into(),
        execution: "one".into(),
        attempt,
        status,
        is_named: true,
        on_failure_queue: false,
    }
}

fn run(at_ms: i64, attempt: u64) -> Run {
    Run { at_ms, thing: "pump".into(), execution: "one".into(), attempt }
}

fn history(images: &[RowImage], reports: &[Report]) -> History {
    History {
        images: images.to_vec(),
        reports: reports.to_vec(),
        is_over: true,
        clock_tolerance_ms: 10,
        ..History::default()
    }
}

/// The properties that a history violates; repetitions in a row count once.
fn violated(history: &History) -> Vec<Property> {
    let mut properties: Vec<_> = violations(history).iter().map(|violation| violation.property).collect();
    properties.dedup();
    properties
}

/// A history without a fault.
fn succeeded() -> History {
    let images = [row(0, 1, 0, "CREATED"), row(5, 1, 2, "IN_PROGRESS"), row(9, 1, 15, "SUCCEEDED")];
    let mut history = history(&images, &[report(8, 1, ReportedStatus::Succeeded)]);
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
fn history_without_faults_violates_nothing() {
    assert_eq!(violations(&succeeded()), []);
    assert_eq!(violations(&History::default()), []);
}

#[test]
fn violation_names_execution_property_and_entries() {
    let mut history = succeeded();
    history.runs.push(run(5, 1));
    let text = violations(&history)[0].to_string();
    assert_eq!(text, "pump/one violates \"a device runs an attempt at most once\": attempt 1 ran at 4 and at 5");
}
