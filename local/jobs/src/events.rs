//! Events on `$aws/events/job/...` and `$aws/events/jobExecution/...`, and their configuration.
//!
//! Source: AWS IoT Core developer guide, "Jobs events" and "Enable events for AWS IoT".

use std::collections::BTreeMap;

use local_broker::Message;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::{Error, Outcome};
use super::http::seconds;
use super::transaction::Transaction;

const JOB: &str = "JOB";
const JOB_EXECUTION: &str = "JOB_EXECUTION";

/// The types of events. The local stack publishes those of jobs; the configuration of the others has no effect.
const TYPES: [&str; 11] = [
    "THING",
    "THING_GROUP",
    "THING_TYPE",
    "THING_GROUP_MEMBERSHIP",
    "THING_GROUP_HIERARCHY",
    "THING_TYPE_ASSOCIATION",
    JOB,
    JOB_EXECUTION,
    "POLICY",
    "CERTIFICATE",
    "CA_CERTIFICATE",
];

/// Members of `jobProcessDetails` that the event of an ended job has not: nothing is pending in it.
const NOT_IN_EVENTS: [&str; 2] = ["numberOfQueuedThings", "numberOfInProgressThings"];

/// Which events are published; none at first.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct EventConfigurations {
    enabled: BTreeMap<String, bool>,
    created_ms: Option<i64>,
    modified_ms: Option<i64>,
}

impl EventConfigurations {
    fn is_enabled(&self, event_type: &str) -> bool {
        self.enabled.get(event_type).copied().unwrap_or_default()
    }
}

#[derive(Deserialize)]
pub(super) struct DescribeEventConfigurations {}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UpdateEventConfigurations {
    #[serde(default)]
    event_configurations: BTreeMap<String, EventConfiguration>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EventConfiguration {
    #[serde(default)]
    enabled: bool,
}

/// `DescribeEventConfigurations`
pub(super) fn describe(transaction: &mut Transaction<'_>, _: DescribeEventConfigurations) -> Outcome {
    let events = &transaction.store.events;
    let shown = |event_type: &str| (event_type.to_owned(), json!({ "Enabled": events.is_enabled(event_type) }));
    let all: serde_json::Map<String, Value> = TYPES.into_iter().map(shown).collect();
    Ok(json!({
        "eventConfigurations": all,
        "creationDate": events.created_ms.map(seconds),
        "lastModifiedDate": events.modified_ms.map(seconds),
    }))
}

/// `UpdateEventConfigurations`
pub(super) fn update(transaction: &mut Transaction<'_>, request: UpdateEventConfigurations) -> Outcome {
    let unknown = request.event_configurations.keys().find(|name| !TYPES.contains(&name.as_str()));
    if let Some(unknown) = unknown {
        return Err(Error::invalid(format!("{unknown} is not a type of events: it is one of {}", TYPES.join(", "))));
    }
    let events = &mut transaction.store.events;
    let changed = request.event_configurations.into_iter().map(|(name, configured)| (name, configured.enabled));
    events.enabled.extend(changed);
    events.created_ms.get_or_insert(transaction.now_ms);
    events.modified_ms = Some(transaction.now_ms);
    Ok(json!({}))
}

/// The event of a job, for example `completed`. Those of its end count its things.
pub(super) fn job_changed(transaction: &mut Transaction<'_>, job_id: &str, operation: &str, status: &str) {
    if !transaction.store.events.is_enabled(JOB) {
        return;
    }
    let Some(job) = transaction.store.jobs.get(job_id) else { return };
    let mut body = event(JOB, job_id, operation, transaction.now_ms);
    body["status"] = status.into();
    body["targetSelection"] = job.target_selection().into();
    body["targets"] = json!(job.targets);
    body["createdAt"] = job.created_ms.into();
    body["lastUpdatedAt"] = job.updated_ms.into();
    let texts = [("description", &job.description), ("comment", &job.comment), ("reasonCode", &job.reason_code)];
    for (name, text) in texts {
        if let Some(text) = text {
            body[name] = text.as_str().into();
        }
    }
    if let Some(completed_ms) = job.completed_ms {
        body["completedAt"] = completed_ms.into();
    }
    if operation == "canceled" {
        body["forceCanceled"] = job.force_canceled.into();
    }
    if matches!(operation, "completed" | "canceled") {
        let mut details = job.process_details();
        details.retain(|name, _| !NOT_IN_EVENTS.contains(&name.as_str()));
        body["jobProcessDetails"] = details.into();
    }
    publish(transaction, "job", job_id, operation, &body);
}

/// The event of the latest execution on a thing, which has ended; its operation is its status.
pub(super) fn execution_ended(transaction: &mut Transaction<'_>, job_id: &str, thing: &str) {
    let execution = transaction.store.jobs.get(job_id).and_then(|job| job.latest(thing));
    let Some(operation) = execution.map(|execution| execution.status.name().to_ascii_lowercase()) else { return };
    execution_changed(transaction, job_id, thing, None, &operation);
}

/// An event of an execution: the latest without a number. With `deleted`, its status is that before the deletion.
pub(super) fn execution_changed(
    transaction: &mut Transaction<'_>,
    job_id: &str,
    thing: &str,
    number: Option<i64>,
    operation: &str,
) {
    if !transaction.store.events.is_enabled(JOB_EXECUTION) {
        return;
    }
    let job = transaction.store.jobs.get(job_id);
    let Some(execution) = job.and_then(|job| job.execution(thing, number)) else { return };
    let mut body = event(JOB_EXECUTION, job_id, operation, transaction.now_ms);
    body["thingArn"] = transaction.registry.arn("thing", thing).into();
    body["status"] = execution.status.name().into();
    body["statusDetails"] = json!(execution.details);
    publish(transaction, "jobExecution", job_id, operation, &body);
}

fn event(event_type: &str, job_id: &str, operation: &str, now_ms: i64) -> Value {
    json!({
        "eventType": event_type,
        "eventId": uuid::Uuid::new_v4().to_string(),
        "timestamp": now_ms.div_euclid(1_000),
        "operation": operation,
        "jobId": job_id,
    })
}

fn publish(transaction: &mut Transaction<'_>, kind: &str, job_id: &str, operation: &str, body: &Value) {
    let topic = format!("$aws/events/{kind}/{job_id}/{operation}");
    transaction.messages.push(Message::new(topic, body.to_string()));
}
