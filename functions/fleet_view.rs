//! How a fleet command stands, as the API shows it and as it is told on its topic.

use domain::{Command, Counts, DeliveryStatus, Fleet, FleetState, Plan, Status, Timestamp, Topic};
use serde_json::{Map, Value, json};

use crate::{cloud::Cloud, failure::chain, time};

/// Tells whoever listens on the command's topic. Who misses it hears the next one; who must know reads it.
pub async fn tell(
    cloud: &Cloud,
    command: &Command,
    fleet: &Fleet,
    plan: Option<&Plan>,
    counts: &Counts,
    now: Timestamp,
) {
    let state = FleetState::of(command, fleet, plan, counts, now);
    let told = event(command, state, plan, counts, now);
    if let Err(error) = cloud.messages.publish(&Topic::command_events(&command.id), told).await {
        tracing::warn!(error = chain(&error), command = %command.id, "nobody could be told how a command stands");
    }
}

/// What is told on the command's topic.
fn event(command: &Command, state: FleetState, plan: Option<&Plan>, counts: &Counts, now: Timestamp) -> String {
    let event = json!({
        "commandId": command.id.as_str(),
        "name": command.definition.name.as_str(),
        "state": state.as_str(),
        "why": command.control.why,
        "counts": counts_of(plan, counts),
        "at": time::show(now),
    });
    event.to_string()
}

/// How many executions are where. `total` is how many things the command is known to be for, `waiting` how many of them have no execution
/// yet: they and the statuses add up.
pub fn counts_of(plan: Option<&Plan>, counts: &Counts) -> Value {
    let waiting = plan.map_or(0, |plan| plan.things).saturating_sub(counts.reached());
    let mut shown = Map::new();
    shown.insert("total".to_owned(), json!(counts.executions().saturating_add(waiting)));
    shown.insert("waiting".to_owned(), json!(waiting));
    for &status in Status::ALL {
        shown.insert(status.to_string(), json!(counts.status(status)));
    }
    let by_delivery: Map<String, Value> =
        DeliveryStatus::ALL.iter().map(|&status| (status.to_string(), json!(counts.delivery(status)))).collect();
    let by_reason: Map<String, Value> =
        counts.reasons().map(|(reason, number)| (reason.to_owned(), json!(number))).collect();
    shown.insert("byDeliveryStatus".to_owned(), by_delivery.into());
    shown.insert("byReason".to_owned(), by_reason.into());
    Value::Object(shown)
}
