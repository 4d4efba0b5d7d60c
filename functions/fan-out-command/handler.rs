//! Which commands a part of the stream is about: whatever their plans are owed is done, a slice of each.

use std::collections::BTreeMap;

use aws::{Changed, Registry};
use domain::{CommandId, Timestamp};

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
    let planner = Planner { cloud, registry, response_topic, now, since: Stopwatch::start() };
    let mut failed = Vec::new();
    for (id, sequence) in &commands {
        if let Err(error) = planner.see_to(id).await {
            tracing::warn!(error = chain(&error), command = %id, "a plan has to wait");
            failed.push(*sequence);
        }
    }
    Ok(Answer::failed(failed))
}
