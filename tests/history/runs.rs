//! A device runs an attempt at most once, and not after its expiry; requests agree with the rows.

use std::collections::BTreeMap;

use super::entries::ImagesByRow;
use super::{Delivery, History, Property, RowImage, Run, Violation};

pub(super) fn check(history: &History) -> Vec<Violation> {
    let rows = history.images_by_row();
    let mut found = Vec::new();
    let mut latest_runs = BTreeMap::new();
    for run in &history.runs {
        let before = latest_runs.insert((&run.thing, &run.execution, run.attempt), run.at_ms);
        if let Some(before) = before.filter(|before| !lost_memory(history, run, *before)) {
            let entries = format!("attempt {} ran at {before} and at {}", run.attempt, run.at_ms);
            found.push(Violation::new(Property::AttemptRunsOnce, &run.thing, &run.execution, entries));
        }
        found.extend(check_start(history, &rows, run));
    }
    found.extend(history.deliveries.iter().flat_map(|delivery| check_delivery(&rows, delivery)));
    found
}

/// Whether the device lost its memory between an earlier run and this one.
fn lost_memory(history: &History, run: &Run, before_ms: i64) -> bool {
    let mut losses = history.memory_losses.iter();
    losses.any(|(at_ms, thing)| *thing == run.thing && (before_ms..=run.at_ms).contains(at_ms))
}

/// Checks that a run started before the expiry of its execution.
fn check_start(history: &History, rows: &ImagesByRow<'_>, run: &Run) -> Option<Violation> {
    let images = rows.get(&(run.thing.as_str(), run.execution.as_str())).map(Vec::as_slice).unwrap_or_default();
    // A device of the Atlas dialect does not know how old a command is.
    if images.iter().any(|image| image.text("channel") == Some("shadow/atlas")) {
        return None;
    }
    let violation = |property, entries| Some(Violation::new(property, &run.thing, &run.execution, entries));
    let Some(start_by) = images.first().and_then(|image| image.number("start_by")) else {
        let entries = format!("attempt {} ran at {}, and the table has no row of it", run.attempt, run.at_ms);
        return violation(Property::RequestMatchesRow, entries);
    };
    if run.at_ms <= start_by + history.clock_tolerance_ms {
        return None;
    }
    let late_ms = run.at_ms - start_by;
    let entries = format!("attempt {} started at {}, {late_ms} ms after start_by", run.attempt, run.at_ms);
    violation(Property::RunStartsInTime, entries)
}

/// Checks that the attempt of a request was stored before, and that its expiry is not later than the row's.
fn check_delivery(rows: &ImagesByRow<'_>, delivery: &Delivery) -> Vec<Violation> {
    let Delivery { at_ms, thing, execution, attempt, expires_at_ms } = delivery;
    let images = rows.get(&(thing.as_str(), execution.as_str())).map(Vec::as_slice).unwrap_or_default();
    let stored: Vec<&RowImage> = images.iter().copied().filter(|image| image.at_ms <= *at_ms).collect();
    let mut found = Vec::new();
    let mut report = |property, entries| found.push(Violation::new(property, thing, execution, entries));
    match stored.last() {
        None => {
            let entries = format!("attempt {attempt} reached its device at {at_ms}, before the row was stored");
            report(Property::RequestMatchesRow, entries);
        }
        Some(last) => {
            if *attempt > last.attempt() {
                let entries = format!("attempt {attempt} reached its device at {at_ms}, before it was stored: {last}");
                report(Property::RequestMatchesRow, entries);
            }
            let start_by = stored.iter().filter_map(|image| image.number("start_by")).max().unwrap_or(0);
            if *expires_at_ms > start_by {
                let excess_ms = expires_at_ms - start_by;
                let entries = format!("the request of attempt {attempt} expires {excess_ms} ms after start_by: {last}");
                report(Property::RunStartsInTime, entries);
            }
        }
    }
    found
}
