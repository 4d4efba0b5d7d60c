//! What a thing is told of its pending executions: `notify` when their list changes, `notify-next` when its first does.
//!
//! Source: AWS IoT Core developer guide, "Jobs notifications".

use local_broker::Message;
use serde_json::{Map, Value, json};

use super::execution::Execution;
use super::status::ExecutionStatus;
use super::store::{Pending, Store};

/// Executions in one notification, at most.
const MAX_LISTED: usize = 15;

/// The list of a thing's pending executions.
pub(super) fn list(store: &Store, thing: &str, now_ms: i64) -> Message {
    let pending = store.pending(thing);
    let mut jobs = Map::new();
    for status in [ExecutionStatus::InProgress, ExecutionStatus::Queued] {
        let listed = pending.iter().take(MAX_LISTED).filter(|pending| pending.execution.status == status);
        let listed: Vec<Value> = listed.map(|pending| pending.execution.device_summary(pending.job_id)).collect();
        if !listed.is_empty() {
            jobs.insert(status.name().to_owned(), listed.into());
        }
    }
    let body = json!({ "timestamp": now_ms.div_euclid(1_000), "jobs": jobs });
    Message::new(format!("$aws/things/{thing}/jobs/notify"), body.to_string())
}

/// The first of a thing's pending executions; without an execution if nothing is pending.
pub(super) fn next(store: &Store, thing: &str, now_ms: i64) -> Message {
    let mut body = json!({ "timestamp": now_ms.div_euclid(1_000) });
    if let Some(Pending { job_id, job, execution }) = store.pending(thing).first() {
        body["execution"] = described(job_id, execution);
        body["execution"]["jobDocument"] = job.document_value();
    }
    Message::new(format!("$aws/things/{thing}/jobs/notify-next"), body.to_string())
}

fn described(job_id: &str, execution: &Execution) -> Value {
    let mut shown = execution.device_summary(job_id);
    shown["status"] = execution.status.name().into();
    if !execution.details.is_empty() {
        shown["statusDetails"] = json!(execution.details);
    }
    shown
}
