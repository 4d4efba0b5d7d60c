//! Retries: an execution that has failed or timed out is followed by another one, as the job's configuration allows.

use super::job::Job;
use super::transaction::Transaction;

/// Queues another execution if the latest has ended in a way that is retried.
pub(super) fn retry_if_allowed(transaction: &mut Transaction<'_>, job_id: &str, thing: &str) {
    let Some(job) = transaction.store.jobs.get(job_id) else { return };
    let Some(attempt) = next_attempt(job, thing) else { return };
    transaction.queue(job_id, thing, attempt);
}

/// The number of the retry that follows the latest execution; none if there is none.
fn next_attempt(job: &Job, thing: &str) -> Option<u32> {
    let criteria = job.configuration.job_executions_retry_config.as_ref().filter(|_| job.is_active())?;
    let executions = job.executions.get(thing)?;
    let latest = executions.last()?;
    // The executions since the thing became a target: the first of them is no retry.
    let start = executions.iter().rposition(|execution| execution.retry_attempt == 0)?;
    let allowed = criteria.criteria_list.iter().any(|criteria| {
        let counted = |status| criteria.failure_type.includes(status) && !is_rejection(status);
        let failures = executions[start..].iter().filter(|execution| counted(execution.status)).count();
        counted(latest.status) && failures <= usize::try_from(criteria.number_of_retries).unwrap_or(usize::MAX)
    });
    allowed.then_some(latest.retry_attempt + 1)
}

/// A rejection is never retried, not even where all failures are.
fn is_rejection(status: super::status::ExecutionStatus) -> bool {
    status == super::status::ExecutionStatus::Rejected
}
