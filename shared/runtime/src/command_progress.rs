//! The progress of a fleet command: the counts as JSON, as the API shows them, and the event on the command's topic.

use domain::{
    Command, Counts, DeliveryStatus, Fleet, FleetState, Plan, Status, Timestamp, Topic, fleet::UnaskedThings,
};
use serde_json::{Map, Value, json};

use crate::clients::Clients;
use crate::handler_error::chain;
use crate::time_format;

/// Publishes the progress on the command's topic. Best effort: `GET /commands/{id}` is authoritative.
pub async fn publish(
    clients: &Clients,
    command: &Command,
    fleet: &Fleet,
    plan: Option<&Plan>,
    counts: &Counts,
    now: Timestamp,
) {
    let state = FleetState::of(command, fleet, plan, counts, now);
    let event = event(command, fleet, state, plan, counts, now);
    if let Err(error) = clients.messages.publish(&Topic::command_events(&command.id), event).await {
        tracing::warn!(error = chain(&error), command = %command.id, "the progress could not be published");
    }
}

fn event(
    command: &Command,
    fleet: &Fleet,
    state: FleetState,
    plan: Option<&Plan>,
    counts: &Counts,
    now: Timestamp,
) -> String {
    let event = json!({
        "commandId": command.id.as_str(),
        "name": command.definition.name.as_str(),
        "state": state.as_str(),
        "why": command.control.why,
        "counts": counts_json(command, fleet, plan, counts),
        "at": time_format::show(now),
    });
    event.to_string()
}

/// The number of executions by status, by delivery status and by reason.
///
/// `total` counts the things that the command is known to have. Those of them that have no execution are counted as
/// `waiting` or `notAsked`, so these two and the statuses add up to `total`.
pub fn counts_json(command: &Command, fleet: &Fleet, plan: Option<&Plan>, counts: &Counts) -> Value {
    let UnaskedThings { waiting, not_asked } = UnaskedThings::of(command, fleet, plan, counts);
    let total = counts.executions().saturating_add(waiting).saturating_add(not_asked);
    let mut json = Map::new();
    json.insert("total".to_owned(), json!(total));
    json.insert("waiting".to_owned(), json!(waiting));
    json.insert("notAsked".to_owned(), json!(not_asked));
    for &status in Status::ALL {
        json.insert(status.to_string(), json!(counts.status(status)));
    }
    let by_delivery: Map<String, Value> =
        DeliveryStatus::ALL.iter().map(|&status| (status.to_string(), json!(counts.delivery(status)))).collect();
    let by_reason: Map<String, Value> =
        counts.reasons().map(|(reason, number)| (reason.to_owned(), json!(number))).collect();
    json.insert("byDeliveryStatus".to_owned(), by_delivery.into());
    json.insert("byReason".to_owned(), by_reason.into());
    Value::Object(json)
}
