//! Handles records of the stream of commands: each command that they are about gets some steps of its plan.

use std::collections::BTreeMap;

use aws::{ChangedItem, Registry};
use domain::{CommandId, Timestamp};
use tokio::sync::OnceCell;

use super::planner::Planner;
use runtime::clients::Clients;
use runtime::event_clock::EventClock;
use runtime::handler_error::{HandlerError, chain};
use runtime::stream_event::{BatchResponse, StreamEvent};

/// Handles one event. `start`: when the invocation started. `response_topic`: the answer topic of devices that have
/// none of their own.
///
/// # Errors
/// The event is not one of a DynamoDB stream. A plan that cannot be processed is a failed record of the response.
pub async fn handle(
    clients: &Clients,
    registry: &Registry,
    response_topic: Option<&str>,
    event: &str,
    start: Timestamp,
) -> Result<BatchResponse, HandlerError> {
    let event = StreamEvent::decode(event)?;
    // The plan is read from the table, not from the record: it is processed once for all records of its command.
    let mut commands: BTreeMap<CommandId, &str> = BTreeMap::new();
    for record in &event.records {
        if let Some(ChangedItem::Command(id)) = ChangedItem::of(&record.dynamodb.keys) {
            commands.entry(id).or_insert(record.dynamodb.sequence_number.as_str());
        }
    }
    let clock = EventClock::start(start);
    let mut failed = Vec::new();
    for (id, sequence_number) in &commands {
        let planner = Planner { clients, registry, response_topic, clock, excluded: OnceCell::new() };
        if let Err(error) = planner.process(id).await {
            tracing::warn!(error = chain(&error), command = %id, "a plan could not be processed: its record is retried");
            failed.push(*sequence_number);
        }
    }
    Ok(BatchResponse::failed(failed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::fixtures;

    #[test]
    fn good_events_name_their_commands_and_bad_ones_are_refused() {
        for (name, event) in fixtures("fan-out-command") {
            let decoded = StreamEvent::decode(&event);
            assert_eq!(decoded.is_ok(), name.starts_with("good_"), "{name}: {decoded:?}");
            let records = decoded.map(|event| event.records).unwrap_or_default();
            let commands = records.iter().filter_map(|record| ChangedItem::of(&record.dynamodb.keys));
            let commands = commands.filter(|changed| matches!(changed, ChangedItem::Command(_))).count();
            assert_eq!(commands > 0, matches!(name.as_str(), "good_command_and_plan" | "good_plan_moved"), "{name}");
        }
    }
}
