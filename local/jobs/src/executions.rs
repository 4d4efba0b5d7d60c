//! An operator's operations on job executions: `DescribeJobExecution`, `ListJobExecutionsForJob`,
//! `ListJobExecutionsForThing`, `CancelJobExecution` and `DeleteJobExecution`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::check;
use super::details::{self, Details};
use super::error::{Error, Outcome};
use super::events;
use super::execution::Execution;
use super::http::seconds;
use super::lenient;
use super::manage::newest_first;
use super::paging::Paging;
use super::status::ExecutionStatus;
use super::store::Store;
use super::transaction::Transaction;
use super::transitions::Change;

/// A job on a thing, with what the operations take besides.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExecutionNamed {
    job_id: String,
    thing_name: String,
    #[serde(default, deserialize_with = "lenient::number")]
    execution_number: Option<i64>,
    #[serde(default, deserialize_with = "lenient::flag")]
    force: Option<bool>,
    #[serde(default, deserialize_with = "lenient::number")]
    expected_version: Option<i64>,
    status_details: Option<Details>,
    namespace_id: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListForJob {
    job_id: String,
    status: Option<ExecutionStatus>,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListForThing {
    thing_name: String,
    status: Option<ExecutionStatus>,
    job_id: Option<String>,
    namespace_id: Option<Value>,
    #[serde(flatten)]
    paging: Paging,
}

impl ExecutionNamed {
    /// The execution of the request.
    fn find<'a>(&self, store: &'a Store) -> Result<&'a Execution, Error> {
        check::job_id(&self.job_id)?;
        check::thing_name(&self.thing_name)?;
        if self.namespace_id.is_some() {
            return Err(Error::not_served("namespaceId"));
        }
        let execution = store.job(&self.job_id)?.execution(&self.thing_name, self.execution_number);
        let missing = || format!("Execution of job {} on thing {} cannot be found", self.job_id, self.thing_name);
        execution.ok_or_else(|| Error::not_found(missing()))
    }
}

/// `DescribeJobExecution`
pub(super) fn describe(transaction: &mut Transaction<'_>, request: ExecutionNamed) -> Outcome {
    let execution = request.find(transaction.store)?;
    Ok(json!({ "execution": {
        "jobId": request.job_id,
        "status": execution.status,
        "forceCanceled": execution.force_canceled,
        "statusDetails": { "detailsMap": execution.details },
        "thingArn": transaction.registry.arn("thing", &request.thing_name),
        "queuedAt": seconds(execution.queued_ms),
        "startedAt": execution.started_ms.map(seconds),
        "lastUpdatedAt": seconds(execution.updated_ms),
        "executionNumber": execution.number,
        "versionNumber": execution.version,
        "approximateSecondsBeforeTimedOut": execution.seconds_before_timeout(transaction.now_ms),
    }}))
}

/// `ListJobExecutionsForJob`: by thing.
pub(super) fn list_for_job(transaction: &mut Transaction<'_>, request: ListForJob) -> Outcome {
    check::job_id(&request.job_id)?;
    let job = transaction.store.job(&request.job_id)?;
    let executions = job.executions.iter().flat_map(|(thing, executions)| {
        // U+0000 sorts before every character of a name.
        executions.iter().map(move |execution| (format!("{thing}\0{:010}", execution.number), (thing, execution)))
    });
    let wanted = executions.filter(|(_, (_, execution))| request.status.is_none_or(|s| s == execution.status));
    let (page, next_token) = request.paging.page(wanted)?;
    let shown = page.into_iter().map(|(thing, execution)| {
        json!({ "thingArn": transaction.registry.arn("thing", thing), "jobExecutionSummary": summary(execution) })
    });
    Ok(json!({ "executionSummaries": shown.collect::<Vec<_>>(), "nextToken": next_token }))
}

/// `ListJobExecutionsForThing`: the newest first.
pub(super) fn list_for_thing(transaction: &mut Transaction<'_>, request: ListForThing) -> Outcome {
    let thing = &request.thing_name;
    check::thing_name(thing)?;
    if request.namespace_id.is_some() {
        return Err(Error::not_served("namespaceId"));
    }
    if !transaction.registry.has_thing(thing) {
        return Err(Error::not_found(format!("Thing {thing} cannot be found")));
    }
    let jobs =
        transaction.store.jobs.iter().filter(|(id, _)| request.job_id.as_ref().is_none_or(|wanted| wanted == *id));
    let executions = jobs.filter_map(|(id, job)| Some((id, job.executions.get(thing)?)));
    let mut executions: Vec<_> = executions
        .flat_map(|(id, executions)| executions.iter().map(move |execution| (id, execution)))
        .filter(|(_, execution)| request.status.is_none_or(|status| status == execution.status))
        .map(|(id, execution)| (newest_first(execution.sequence), (id, execution)))
        .collect();
    executions.sort_by(|(a, _), (b, _)| a.cmp(b));
    let (page, next_token) = request.paging.page(executions)?;
    let shown =
        page.into_iter().map(|(id, execution)| json!({ "jobId": id, "jobExecutionSummary": summary(execution) }));
    Ok(json!({ "executionSummaries": shown.collect::<Vec<_>>(), "nextToken": next_token }))
}

/// `CancelJobExecution`
pub(super) fn cancel(transaction: &mut Transaction<'_>, request: ExecutionNamed) -> Outcome {
    details::check(request.status_details.as_ref()).map_err(Error::invalid)?;
    let execution = request.find(transaction.store)?;
    let force = request.force.unwrap_or_default();
    let (status, version) = (execution.status, execution.version);
    if let Some(expected) = request.expected_version.filter(|expected| *expected != version) {
        return Err(Error::version_conflict(format!("The version of the execution is {version}, not {expected}")));
    }
    if status.is_terminal() {
        return Err(Error::invalid_transition(format!("An execution that is {} cannot be canceled", status.name())));
    }
    if status == ExecutionStatus::InProgress && !force {
        let message = "An execution that is IN_PROGRESS can only be canceled with force".to_owned();
        return Err(Error::invalid_transition(message));
    }
    let change =
        Change { details: request.status_details, force_canceled: force, ..Change::to(ExecutionStatus::Canceled) };
    transaction.change(&request.job_id, &request.thing_name, change);
    Ok(json!({}))
}

/// `DeleteJobExecution`
pub(super) fn delete(transaction: &mut Transaction<'_>, request: ExecutionNamed) -> Outcome {
    let execution = request.find(transaction.store)?;
    let (number, status) = (execution.number, execution.status);
    if !status.is_terminal() && !request.force.unwrap_or_default() {
        let message = format!("An execution that is {} can only be deleted with force", status.name());
        return Err(Error::invalid_transition(message));
    }
    let (job_id, thing) = (request.job_id, request.thing_name);
    transaction.touch(&thing);
    events::execution_changed(transaction, &job_id, &thing, Some(number), "deleted");
    if let Some(job) = transaction.store.jobs.get_mut(&job_id) {
        let before = job.latest(&thing).map(|execution| execution.status);
        // Without executions the thing stays listed: a CONTINUOUS job does not come back to it.
        if let Some(executions) = job.executions.get_mut(&thing) {
            executions.retain(|execution| execution.number != number);
        }
        let after = job.latest(&thing).map(|execution| execution.status);
        job.recount(before, after);
    }
    transaction.complete_if_done(&job_id);
    Ok(json!({}))
}

/// `JobExecutionSummary` of the control plane.
fn summary(execution: &Execution) -> Value {
    json!({
        "status": execution.status,
        "queuedAt": seconds(execution.queued_ms),
        "startedAt": execution.started_ms.map(seconds),
        "lastUpdatedAt": seconds(execution.updated_ms),
        "executionNumber": execution.number,
        "retryAttempt": execution.retry_attempt,
    })
}
