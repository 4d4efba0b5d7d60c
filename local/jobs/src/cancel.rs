//! `CancelJob` and `DeleteJob`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::check;
use super::error::{Error, Outcome};
use super::events;
use super::lenient;
use super::status::{ExecutionStatus, JobStatus};
use super::transaction::Transaction;
use super::transitions::Change;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CancelJob {
    job_id: String,
    reason_code: Option<String>,
    comment: Option<String>,
    #[serde(default, deserialize_with = "lenient::flag")]
    force: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeleteJob {
    job_id: String,
    #[serde(default, deserialize_with = "lenient::flag")]
    force: Option<bool>,
    namespace_id: Option<Value>,
}

/// `CancelJob`
pub(super) fn cancel(transaction: &mut Transaction<'_>, request: CancelJob) -> Outcome {
    let id = request.job_id;
    check::job_id(&id)?;
    check::reason_code(request.reason_code.as_deref())?;
    check::text("comment", request.comment.as_deref())?;
    let force = request.force.unwrap_or_default();
    let job = transaction.store.job(&id)?;
    // With `force`, executions that a cancellation left IN_PROGRESS can still be canceled.
    let is_left_running = job.status == JobStatus::Canceled && job.count(|status| !status.is_terminal()) > 0;
    if !(job.is_active() || force && is_left_running) {
        return Err(Error::invalid(format!("Job {id} has ended already")));
    }
    let mut description = None;
    if let Some(job) = transaction.store.jobs.get_mut(&id) {
        job.reason_code = request.reason_code;
        job.comment = request.comment.or(job.comment.take());
        description.clone_from(&job.description);
    }
    cancel_job(transaction, &id, force);
    Ok(json!({ "jobArn": transaction.registry.arn("job", &id), "jobId": id, "description": description }))
}

/// Cancels a job and its executions that are QUEUED; with `force`, those that are IN_PROGRESS as well.
pub(super) fn cancel_job(transaction: &mut Transaction<'_>, job_id: &str, force: bool) {
    let now_ms = transaction.now_ms;
    let Some(job) = transaction.store.jobs.get_mut(job_id) else { return };
    // First of all: executions that end in a job that is not IN_PROGRESS neither complete nor abort it.
    job.status = JobStatus::Canceled;
    job.force_canceled = force;
    job.waiting.clear();
    job.updated_ms = now_ms;
    let is_canceled = |status| status == ExecutionStatus::Queued || force && status == ExecutionStatus::InProgress;
    let things = job.things_in(is_canceled);
    events::job_changed(transaction, job_id, "cancellation_in_progress", "CANCELLATION_IN_PROGRESS");
    for thing in things {
        let change = Change { force_canceled: force, ..Change::to(ExecutionStatus::Canceled) };
        transaction.change(job_id, &thing, change);
    }
    events::job_changed(transaction, job_id, "canceled", "CANCELED");
}

/// `DeleteJob`
pub(super) fn delete(transaction: &mut Transaction<'_>, request: DeleteJob) -> Outcome {
    let id = request.job_id;
    check::job_id(&id)?;
    if request.namespace_id.is_some() {
        return Err(Error::not_served("namespaceId"));
    }
    let job = transaction.store.job(&id)?;
    if job.is_active() && !request.force.unwrap_or_default() {
        let message = format!("Job {id} is IN_PROGRESS: it can only be deleted with force");
        return Err(Error::invalid_transition(message));
    }
    let executions = job.executions.iter();
    let executions: Vec<(String, i64)> = executions
        .flat_map(|(thing, executions)| executions.iter().map(move |execution| (thing.clone(), execution.number)))
        .collect();
    events::job_changed(transaction, &id, "deletion_in_progress", "DELETION_IN_PROGRESS");
    for (thing, number) in &executions {
        transaction.touch(thing);
        events::execution_changed(transaction, &id, thing, Some(*number), "deleted");
    }
    events::job_changed(transaction, &id, "deleted", "DELETED");
    transaction.store.jobs.remove(&id);
    Ok(json!({}))
}
