//! Abort criteria: too many failures cancel a job.

use super::cancel;
use super::config::FailureType;
use super::job::Job;
use super::status::ExecutionStatus;
use super::transaction::Transaction;

/// Cancels a job, without its executions that are IN_PROGRESS, if one of its criteria is met.
pub(super) fn cancel_if_criteria_met(transaction: &mut Transaction<'_>, job_id: &str) {
    let met = transaction.store.jobs.get(job_id).is_some_and(|job| job.is_active() && is_met(job));
    if met {
        cancel::cancel_job(transaction, job_id, false);
    }
}

/// Whether enough of the things that have executed the job have failed. A thing whose execution is retried has not
/// executed it yet, and one that was canceled or removed never has.
fn is_met(job: &Job) -> bool {
    let Some(config) = &job.configuration.abort_config else { return false };
    let executed = job.count(|status| status == ExecutionStatus::Succeeded || FailureType::All.includes(status));
    config.criteria_list.iter().any(|criteria| {
        let failed = job.count(|status| criteria.failure_type.includes(status));
        let percentage = failed as f64 * 100.0 / executed.max(1) as f64;
        executed >= criteria.min_number_of_executed_things.into() && percentage >= criteria.threshold_percentage
    })
}
