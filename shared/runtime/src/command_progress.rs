//! The progress of a command: the counts as JSON, as the API shows them, and the event on the command's topic.
//!
//! Each event has a sequence number. For a fleet it is the number of writes of everything that the event is made from.
//! All of these numbers only grow, so of two events the one with the greater number says more, whichever function sent
//! it. The writer of the last change reads all changes, so the event with the greatest number tells the final state.
//! For one thing, the number follows from the row ([`Execution::event_number`]), and each event tells of one write.

use aws::CountTotals;
use domain::{
    Command, CommandId, Counts, DeliveryStatus, Execution, ExecutionSummary, Fleet, FleetState, Plan, Status,
    Timestamp, Topic, fleet::UnaskedThings,
};
use serde_json::{Map, Value, json};

use crate::audit_view::AuditView;
use crate::clients::Clients;
use crate::handler_error::chain;
use crate::metrics;
use crate::time_format;

/// Publishes the progress of a fleet command on its topic, unless this process has published it, or a later one. Best
/// effort: `GET /commands/{id}` is authoritative.
pub async fn publish(
    clients: &Clients,
    command: &Command,
    fleet: &Fleet,
    plan: Option<&Plan>,
    totals: &CountTotals,
    now: Timestamp,
) {
    let sequence = sequence(command, plan, totals);
    if !clients.published.is_newer(&command.id, sequence) {
        return;
    }
    let state = FleetState::of(command, fleet, plan, &totals.counts, now);
    let event = json!({
        "commandId": command.id.as_str(),
        "sequence": sequence,
        "name": command.definition.name.as_str(),
        "state": state.as_str(),
        "why": command.control.why,
        "lastChange": command.audit.last().map(AuditView::of),
        "counts": counts_json(command, fleet, plan, totals),
        "at": time_format::show(now),
    });
    send(clients, &command.id, sequence, &event, now).await;
}

/// Publishes that the execution of a command for one thing has changed, unless this process has published it, or a
/// later change. Best effort, as for a fleet.
pub async fn publish_execution(clients: &Clients, execution: &Execution, sequence: u64, now: Timestamp) {
    if !clients.published.is_newer(&execution.command, sequence) {
        return;
    }
    let ExecutionSummary {
        status,
        delivery_status,
        attempt,
        channel,
        reason,
        reason_description,
        late,
        stop_confirmed,
        cancel,
    } = execution.summary();
    let event = json!({
        "commandId": execution.command.as_str(),
        "sequence": sequence,
        "name": execution.name.as_str(),
        "state": FleetState::of_one_thing(execution).as_str(),
        "why": cancel.as_ref().and_then(|cancel| cancel.why.as_deref()),
        "lastChange": cancel.as_ref().map(AuditView::of),
        "counts": counts_of_one_thing(execution),
        "execution": {
            "executionId": execution.key.id.as_str(),
            "thing": execution.key.thing.as_str(),
            "status": status.as_str(),
            "deliveryStatus": delivery_status.as_str(),
            "attempt": attempt,
            "via": channel.to_string(),
            "reason": reason,
            "reasonDescription": reason_description,
            "late": late,
            "stopConfirmed": stop_confirmed,
        },
        "at": time_format::show(now),
    });
    send(clients, &execution.command, sequence, &event, now).await;
}

/// Publishes an event. One that could not be published is logged and counted.
async fn send(clients: &Clients, id: &CommandId, sequence: u64, event: &Value, now: Timestamp) {
    match clients.messages.publish(&Topic::command_events(id), event.to_string()).await {
        Ok(()) => clients.published.record(id, sequence),
        Err(error) => {
            tracing::warn!(error = chain(&error), command = %id, sequence, "a progress event could not be published");
            metrics::count(now, &[("EventsUnpublished", 1)], &[("command", id.as_str())]);
        }
    }
}

/// How many times the command, its plan and its counts were written: each change of a command has an audit entry.
fn sequence(command: &Command, plan: Option<&Plan>, totals: &CountTotals) -> u64 {
    let changes = u64::try_from(command.audit.len()).unwrap_or(u64::MAX);
    let plan = plan.map_or(0, |plan| plan.revision);
    [changes, plan, totals.folds].into_iter().fold(1, u64::saturating_add)
}

/// The number of executions by status, by delivery status and by reason.
///
/// `total` counts the things that the command is known to have. Those of them that have no execution are counted as
/// `waiting` or `notAsked`, so these two and the statuses add up to `total`. `exact` says whether `total` can't change
/// any more, and `asOf` when the last change was counted.
pub fn counts_json(command: &Command, fleet: &Fleet, plan: Option<&Plan>, totals: &CountTotals) -> Value {
    let counts: &Counts = &totals.counts;
    let UnaskedThings { waiting, not_asked } = UnaskedThings::of(command, fleet, plan, counts);
    let total = counts.executions().saturating_add(waiting).saturating_add(not_asked);
    let mut json = Map::new();
    json.insert("total".to_owned(), json!(total));
    json.insert("exact".to_owned(), json!(plan.is_some_and(|plan| plan.is_total_exact(fleet, counts))));
    json.insert("asOf".to_owned(), json!(totals.as_of.map(time_format::show)));
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

/// The counts of a command for one thing.
pub fn counts_of_one_thing(execution: &Execution) -> Value {
    let mut counts = Map::from_iter([("total".to_owned(), json!(1))]);
    counts.extend(Status::ALL.iter().map(|status| (status.to_string(), json!(u32::from(*status == execution.status)))));
    Value::Object(counts)
}
