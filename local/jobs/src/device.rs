//! A device's operations on its job executions, of MQTT and HTTPS alike.
//!
//! Source: AWS IoT Core developer guide, "Jobs device MQTT API" and "Jobs device HTTP API".

use serde::Deserialize;
use serde_json::{Value, json};

use super::check;
use super::config::MAX_TIMER_MINUTES;
use super::details::{self, Details};
use super::device_error::{Code, DeviceError};
use super::execution::{Execution, StepTimer};
use super::job::Job;
use super::lenient;
use super::status::ExecutionStatus;
use super::transaction::Transaction;
use super::transitions::Change;

/// In place of a job's id: the first of the pending executions.
pub(super) const NEXT: &str = "$next";

/// Result of an operation: the members of its answer.
pub(super) type Answer = Result<Value, DeviceError>;

/// How a document is shown: as JSON over MQTT, as text over HTTPS.
#[derive(Clone, Copy, Debug)]
pub(super) enum DocumentForm {
    Json,
    Text,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StartNext {
    status_details: Option<Details>,
    #[serde(default, deserialize_with = "lenient::number")]
    step_timeout_in_minutes: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Describe {
    #[serde(default, deserialize_with = "lenient::number")]
    execution_number: Option<i64>,
    #[serde(default, deserialize_with = "lenient::flag")]
    include_job_document: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Update {
    status: ExecutionStatus,
    status_details: Option<Details>,
    #[serde(default, deserialize_with = "lenient::number")]
    expected_version: Option<i64>,
    #[serde(default, deserialize_with = "lenient::number")]
    execution_number: Option<i64>,
    #[serde(default, deserialize_with = "lenient::flag")]
    include_job_execution_state: Option<bool>,
    #[serde(default, deserialize_with = "lenient::flag")]
    include_job_document: Option<bool>,
    #[serde(default, deserialize_with = "lenient::number")]
    step_timeout_in_minutes: Option<i64>,
}

/// `GetPendingJobExecutions`
pub(super) fn get_pending(transaction: &mut Transaction<'_>, thing: &str) -> Answer {
    check_thing(transaction, thing)?;
    let pending = transaction.store.pending(thing);
    let of = |status| -> Vec<Value> {
        let those = pending.iter().filter(|pending| pending.execution.status == status);
        those.map(|pending| pending.execution.device_summary(pending.job_id)).collect()
    };
    Ok(json!({
        "inProgressJobs": of(ExecutionStatus::InProgress),
        "queuedJobs": of(ExecutionStatus::Queued),
    }))
}

/// `StartNextPendingJobExecution`: an execution that is IN_PROGRESS already is not changed.
pub(super) fn start_next(
    transaction: &mut Transaction<'_>,
    thing: &str,
    request: StartNext,
    form: DocumentForm,
) -> Answer {
    check_thing(transaction, thing)?;
    details::check(request.status_details.as_ref()).map_err(DeviceError::invalid)?;
    let step_timer = step_timer(request.step_timeout_in_minutes)?;
    let pending = transaction.store.pending(thing);
    let Some(next) = pending.first() else { return Ok(json!({})) };
    let (job_id, status) = (next.job_id.to_owned(), next.execution.status);
    if status == ExecutionStatus::Queued {
        let details = request.status_details;
        let change = Change { details, step_timer, ..Change::to(ExecutionStatus::InProgress) };
        transaction.change(&job_id, thing, change);
    }
    let (job, execution) = find(transaction, thing, &job_id, None)?;
    Ok(json!({ "execution": shown(transaction, &job_id, thing, execution, document(job, form)) }))
}

/// `DescribeJobExecution`; of `$next` it has no execution if nothing is pending.
pub(super) fn describe(
    transaction: &mut Transaction<'_>,
    thing: &str,
    job_id: &str,
    request: &Describe,
    form: DocumentForm,
) -> Answer {
    check_thing(transaction, thing)?;
    let next = (job_id == NEXT).then(|| transaction.store.pending(thing).first().map(|next| next.job_id.to_owned()));
    let (job_id, number) = match next {
        Some(Some(next)) => (next, None),
        Some(None) => return Ok(json!({})),
        None => (job_id.to_owned(), request.execution_number),
    };
    let (job, execution) = find(transaction, thing, &job_id, number)?;
    if execution.status.is_terminal() {
        let message = format!("The execution of job {job_id} is {}", execution.status.name());
        return Err(DeviceError::new(Code::TerminalStateReached, message));
    }
    let document = match request.include_job_document {
        Some(false) => Value::Null,
        Some(true) | None => document(job, form),
    };
    Ok(json!({ "execution": shown(transaction, &job_id, thing, execution, document) }))
}

/// `UpdateJobExecution`
pub(super) fn update(
    transaction: &mut Transaction<'_>,
    thing: &str,
    job_id: &str,
    request: Update,
    form: DocumentForm,
) -> Answer {
    check_thing(transaction, thing)?;
    if !request.status.is_reportable() {
        let message = format!("A device cannot report {}", request.status.name());
        return Err(DeviceError::invalid(message));
    }
    details::check(request.status_details.as_ref()).map_err(DeviceError::invalid)?;
    let step_timer = step_timer(request.step_timeout_in_minutes)?;
    let (_, execution) = find(transaction, thing, job_id, request.execution_number)?;
    let version = execution.version;
    if let Some(expected) = request.expected_version.filter(|expected| *expected != version) {
        let message = format!("The version of the execution is {version}, not {expected}");
        return Err(DeviceError::new(Code::VersionMismatch, message).with_state(execution.state()));
    }
    if execution.status.is_terminal() {
        let (from, to) = (execution.status.name(), request.status.name());
        let message = format!("The execution is {from} and cannot become {to}");
        return Err(DeviceError::new(Code::InvalidStateTransition, message).with_state(execution.state()));
    }
    let number = execution.number;
    let change = Change { details: request.status_details, step_timer, ..Change::to(request.status) };
    transaction.change(job_id, thing, change);
    let mut answer = json!({});
    // A retry may have taken its place as the latest.
    let (job, execution) = find(transaction, thing, job_id, Some(number))?;
    if request.include_job_execution_state == Some(true) {
        answer["executionState"] = execution.state();
    }
    if request.include_job_document == Some(true) {
        answer["jobDocument"] = document(job, form);
    }
    Ok(answer)
}

fn check_thing(transaction: &Transaction<'_>, thing: &str) -> Result<(), DeviceError> {
    if !check::is_thing_name(thing) {
        return Err(DeviceError::invalid("The name of the thing is not valid"));
    }
    match transaction.registry.has_thing(thing) {
        true => Ok(()),
        false => Err(DeviceError::new(Code::ResourceNotFound, format!("Thing {thing} cannot be found"))),
    }
}

fn find<'a>(
    transaction: &'a Transaction<'_>,
    thing: &str,
    job_id: &str,
    number: Option<i64>,
) -> Result<(&'a Job, &'a Execution), DeviceError> {
    if !check::is_job_id(job_id) {
        return Err(DeviceError::invalid("The id of the job is not valid"));
    }
    let job = transaction.store.jobs.get(job_id);
    let found = job.and_then(|job| Some((job, job.execution(thing, number)?)));
    let missing = || format!("Execution of job {job_id} on thing {thing} cannot be found");
    found.ok_or_else(|| DeviceError::new(Code::ResourceNotFound, missing()))
}

fn step_timer(minutes: Option<i64>) -> Result<StepTimer, DeviceError> {
    match minutes {
        None => Ok(StepTimer::Keep),
        Some(-1) => Ok(StepTimer::Cancel),
        Some(minutes @ 1..=MAX_TIMER_MINUTES) => Ok(StepTimer::Minutes(minutes)),
        Some(minutes) => {
            let message = format!("stepTimeoutInMinutes is {minutes}: it is 1 to {MAX_TIMER_MINUTES}, or -1");
            Err(DeviceError::invalid(message))
        }
    }
}

fn document(job: &Job, form: DocumentForm) -> Value {
    match form {
        DocumentForm::Json => job.document_value(),
        DocumentForm::Text => job.document.clone().into(),
    }
}

/// `JobExecution`; a document that is null is left out.
fn shown(transaction: &Transaction<'_>, job_id: &str, thing: &str, execution: &Execution, document: Value) -> Value {
    let mut shown = execution.device_summary(job_id);
    shown["thingName"] = thing.into();
    shown["status"] = execution.status.name().into();
    if !execution.details.is_empty() {
        shown["statusDetails"] = json!(execution.details);
    }
    if let Some(seconds) = execution.seconds_before_timeout(transaction.now_ms) {
        shown["approximateSecondsBeforeTimedOut"] = seconds.into();
    }
    if !document.is_null() {
        shown["jobDocument"] = document;
    }
    shown
}
