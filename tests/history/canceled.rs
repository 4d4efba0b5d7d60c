//! Nothing goes out that nobody has claimed, and so nothing that was called off before; and nothing starts that its device was
//! told to leave alone.

use super::{History, Violation};

pub(super) fn check(history: &History) -> Vec<Violation> {
    let rows = history.by_row();
    let mut found = Vec::new();
    for delivery in &history.deliveries {
        let images = rows.get(&(delivery.thing.as_str(), delivery.execution.as_str()));
        let claimed = images.into_iter().flatten().any(|image| {
            image.at_ms <= delivery.at_ms && image.attempt() == delivery.attempt && image.text("sent_at").is_some()
        });
        if images.is_some() && !claimed {
            let why = format!("attempt {} of {}/{}", delivery.attempt, delivery.thing, delivery.execution);
            found.push(Violation::of("unclaimed", format!("{why} reached its device, and nobody had claimed it")));
        }
    }
    for told in &history.cancels {
        let same = |thing: &str, execution: &str| thing == told.thing && execution == told.execution;
        let canceled = rows
            .get(&(told.thing.as_str(), told.execution.as_str()))
            .is_some_and(|images| images.iter().any(|image| image.at_ms <= told.at_ms && image.progress().1 == 9));
        if !canceled {
            let why = format!("{}/{} was not called off, and its device was told so", told.thing, told.execution);
            found.push(Violation::of("canceled", why));
        }
        for run in history.runs.iter().filter(|run| same(&run.thing, &run.execution) && run.at_ms > told.at_ms) {
            let why = format!("{}/{} started at {}, though told not to", run.thing, run.execution, run.at_ms);
            found.push(Violation::of("canceled", why));
        }
    }
    found
}
