//! Which commands a part of the stream is about: whatever their plans are owed is done, a slice of each.

use std::collections::BTreeMap;

use aws::{Changed, Registry};
use domain::{CommandId, Timestamp};
use tokio::sync::OnceCell;

use super::plan::Planner;
use crate::{
    cloud::Cloud,
    failure::{Failure, chain},
    stopwatch::Stopwatch,
    stream::{Answer, Event},
};

/// Handles one event. `now`: when its handling began. `response_topic`: where devices answer a broadcast that do not know any better.
pub async fn handle(
    cloud: &Cloud,
    registry: &Registry,
    response_topic: Option<&str>,
    event: &str,
    now: Timestamp,
) -> Result<Answer, Failure> {
    let event = Event::decode(event)?;
    // The records of a command say no more than that it is worth looking: one look for all of them.
    let mut commands: BTreeMap<CommandId, &str> = BTreeMap::new();
    for record in &event.records {
        if let Some(Changed::Command(id)) = Changed::of(&record.dynamodb.keys) {
            commands.entry(id).or_insert(record.dynamodb.sequence_number.as_str());
        }
    }
    let since = Stopwatch::start();
    let mut failed = Vec::new();
    for (id, sequence) in &commands {
        let planner = Planner { cloud, registry, response_topic, now, since, excluded: OnceCell::new() };
        if let Err(error) = planner.see_to(id).await {
            tracing::warn!(error = chain(&error), command = %id, "a plan has to wait");
            failed.push(*sequence);
        }
    }
    Ok(Answer::failed(failed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::fixtures;

    #[test]
    fn every_good_event_is_one_and_every_bad_one_is_refused() {
        for (name, event) in fixtures("fan-out-command") {
            let decoded = Event::decode(&event);
            assert_eq!(decoded.is_ok(), name.starts_with("good_"), "{name}: {decoded:?}");
            let records = decoded.map(|event| event.records).unwrap_or_default();
            let commands = records.iter().filter_map(|record| Changed::of(&record.dynamodb.keys));
            let commands = commands.filter(|changed| matches!(changed, Changed::Command(_))).count();
            assert_eq!(commands > 0, matches!(name.as_str(), "good_command_and_plan" | "good_plan_moved"), "{name}");
        }
    }
}
