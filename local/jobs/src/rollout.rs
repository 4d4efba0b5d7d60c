//! The rollout of a job: executions are created minute by minute, at a constant or an exponential rate.
//!
//! Source: AWS IoT Core developer guide, "Job rollout configuration". Without a configuration, all are created at once.

use super::config::ExponentialRate;
use super::job::Job;
use super::status::ExecutionStatus;
use super::transaction::Transaction;

const MINUTE_MS: i64 = 60_000;

/// Creates the executions of one minute, and completes a job that has nothing to do.
pub(super) fn release(transaction: &mut Transaction<'_>, job_id: &str) {
    let Some(job) = transaction.store.jobs.get_mut(job_id) else { return };
    let count = things_per_minute(job).min(job.waiting.len());
    let released: Vec<String> = job.waiting.drain(..count).collect();
    job.next_release_ms = transaction.now_ms.saturating_add(MINUTE_MS);
    for thing in released {
        transaction.queue(job_id, &thing, 0);
    }
    transaction.complete_if_done(job_id);
}

/// The earliest minute of a rollout, and its job.
pub(super) fn next<'a>(jobs: impl Iterator<Item = (&'a String, &'a Job)>) -> Option<(i64, &'a String)> {
    let waiting = jobs.filter(|(_, job)| job.is_active() && !job.waiting.is_empty());
    waiting.map(|(id, job)| (job.next_release_ms, id)).min()
}

fn things_per_minute(job: &mut Job) -> usize {
    let Some(config) = job.configuration.job_executions_rollout_config.clone() else { return usize::MAX };
    let maximum = config.maximum_per_minute.unwrap_or(u32::MAX);
    let rate = match &config.exponential_rate {
        None => maximum,
        Some(rate) => exponential(job, rate).min(maximum),
    };
    usize::try_from(rate).unwrap_or(usize::MAX)
}

/// The rate grows by its factor with each `numberOfNotifiedThings` things that have been notified, or with each
/// `numberOfSucceededThings` things that have succeeded.
fn exponential(job: &mut Job, rate: &ExponentialRate) -> u32 {
    let criteria = &rate.rate_increase_criteria;
    let notified = job.executions.len() as u64;
    let (reached, step) = match criteria.number_of_notified_things {
        Some(step) => (notified, step),
        None => {
            let succeeded = job.count(|status| status == ExecutionStatus::Succeeded);
            (succeeded, criteria.number_of_succeeded_things.unwrap_or(u32::MAX))
        }
    };
    job.rate_increases = u32::try_from(reached / u64::from(step.max(1))).unwrap_or(u32::MAX).max(job.rate_increases);
    let increases = i32::try_from(job.rate_increases).unwrap_or(i32::MAX);
    // A float that is too large becomes the largest integer.
    (f64::from(rate.base_rate_per_minute) * rate.increment_factor.powi(increases)) as u32
}
