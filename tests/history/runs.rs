//! Nothing runs twice, and nothing starts after its expiry. What devices are asked is what is stored.

use std::collections::BTreeMap;

use super::{History, Image, Run, Violation};

type Rows<'a> = BTreeMap<(&'a str, &'a str), Vec<&'a Image>>;

fn images_of<'a>(rows: &'a Rows<'a>, run: &'a Run) -> impl Iterator<Item = &'a &'a Image> {
    rows.get(&(run.thing.as_str(), run.execution.as_str())).into_iter().flatten()
}

pub(super) fn check(history: &History) -> Vec<Violation> {
    let rows = history.by_row();
    let mut found = Vec::new();
    let mut first = BTreeMap::new();
    for run in &history.runs {
        let name = format!("{}/{} attempt {}", run.thing, run.execution, run.attempt);
        let forgot =
            |since: i64| history.forgot.iter().any(|(at, who)| *who == run.thing && (since..=run.at_ms).contains(at));
        if let Some(before) =
            first.insert((&run.thing, &run.execution, run.attempt), run.at_ms).filter(|at| !forgot(*at))
        {
            found.push(Violation::of("twice", format!("{name} ran at {before} and at {}", run.at_ms)));
        }
        let row = rows.get(&(run.thing.as_str(), run.execution.as_str())).and_then(|images| images.first());
        if images_of(&rows, run).any(|image| matches!(image.text("via"), Some("shadow/atlas"))) {
            // Its device can't tell how old a command is.
            continue;
        }
        let Some(start_by) = row.and_then(|image| image.number("start_by")) else {
            found.push(Violation::of("unknown", format!("{name} ran, and is not stored")));
            continue;
        };
        if run.at_ms > start_by + history.tolerance_ms {
            let late = run.at_ms - start_by;
            found.push(Violation::of("expired", format!("{name} started {late} ms after its expiry")));
        }
    }
    for delivery in &history.deliveries {
        let name = format!("{}/{} attempt {}", delivery.thing, delivery.execution, delivery.attempt);
        let images = rows.get(&(delivery.thing.as_str(), delivery.execution.as_str()));
        let known = || images.into_iter().flatten().filter(|image| image.at_ms <= delivery.at_ms);
        let stored = known().next_back();
        let Some(stored) = stored else {
            found.push(Violation::of("unknown", format!("{name} was sent before it was stored")));
            continue;
        };
        if delivery.attempt > stored.attempt() {
            found.push(Violation::of("unknown", format!("{name} was sent, but the row is at {}", stored.attempt())));
        }
        let start_by = known().filter_map(|image| image.number("start_by")).max().unwrap_or(0);
        if delivery.expires_at_ms > start_by {
            let more = delivery.expires_at_ms - start_by;
            found.push(Violation::of("expired", format!("{name} says that it may start {more} ms longer than it may")));
        }
    }
    found
}
