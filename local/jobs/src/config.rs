//! The configuration of a job: rollout, abort, timeout, retry.
//!
//! Source for names and limits: the `iot` API model, and AWS IoT Core developer guide, "How job configurations work".

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::status::ExecutionStatus;

/// The longest timer in minutes: 7 days.
pub(super) const MAX_TIMER_MINUTES: i64 = 10_080;
/// Retries of one execution, of all failure types together.
const MAX_RETRIES: u32 = 10;

/// What `CreateJob` and `UpdateJob` configure; members that a request leaves out are none.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Configuration {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) job_executions_rollout_config: Option<RolloutConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) abort_config: Option<AbortConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) timeout_config: Option<TimeoutConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) job_executions_retry_config: Option<RetryConfig>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RolloutConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) maximum_per_minute: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exponential_rate: Option<ExponentialRate>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExponentialRate {
    pub(super) base_rate_per_minute: u32,
    pub(super) increment_factor: f64,
    pub(super) rate_increase_criteria: RateIncreaseCriteria,
}

/// One of the two is given.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RateIncreaseCriteria {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) number_of_notified_things: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) number_of_succeeded_things: Option<u32>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AbortConfig {
    pub(super) criteria_list: Vec<AbortCriteria>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AbortCriteria {
    pub(super) failure_type: FailureType,
    action: AbortAction,
    pub(super) threshold_percentage: f64,
    pub(super) min_number_of_executed_things: u32,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum AbortAction {
    Cancel,
}

/// A kind of failure that criteria count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum FailureType {
    Failed,
    Rejected,
    TimedOut,
    All,
}

impl FailureType {
    /// The statuses of an execution that count as a failure of this type.
    pub(super) fn includes(self, status: ExecutionStatus) -> bool {
        match self {
            Self::Failed => status == ExecutionStatus::Failed,
            Self::Rejected => status == ExecutionStatus::Rejected,
            Self::TimedOut => status == ExecutionStatus::TimedOut,
            Self::All => {
                matches!(status, ExecutionStatus::Failed | ExecutionStatus::Rejected | ExecutionStatus::TimedOut)
            }
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TimeoutConfig {
    pub(super) in_progress_timeout_in_minutes: Option<i64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RetryConfig {
    pub(super) criteria_list: Vec<RetryCriteria>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RetryCriteria {
    pub(super) failure_type: FailureType,
    pub(super) number_of_retries: u32,
}

impl Configuration {
    /// Checks the limits of the API model.
    pub(super) fn check(&self) -> Result<(), Error> {
        self.job_executions_rollout_config.iter().try_for_each(RolloutConfig::check)?;
        self.abort_config.iter().try_for_each(AbortConfig::check)?;
        self.job_executions_retry_config.iter().try_for_each(RetryConfig::check)?;
        match self.in_progress_minutes() {
            Some(minutes) => within("inProgressTimeoutInMinutes", minutes, 1, MAX_TIMER_MINUTES),
            None => Ok(()),
        }
    }

    /// The parts that `update` has replace those of this configuration.
    pub(super) fn update(&mut self, update: Self) {
        let Self { job_executions_rollout_config, abort_config, timeout_config, job_executions_retry_config } = update;
        let old = std::mem::take(self);
        self.job_executions_rollout_config = job_executions_rollout_config.or(old.job_executions_rollout_config);
        self.abort_config = abort_config.or(old.abort_config);
        self.timeout_config = timeout_config.or(old.timeout_config);
        self.job_executions_retry_config = job_executions_retry_config.or(old.job_executions_retry_config);
    }

    pub(super) fn in_progress_minutes(&self) -> Option<i64> {
        self.timeout_config.as_ref().and_then(|config| config.in_progress_timeout_in_minutes)
    }
}

impl RolloutConfig {
    fn check(&self) -> Result<(), Error> {
        if let Some(maximum) = self.maximum_per_minute {
            within("maximumPerMinute", maximum, 1, 1_000)?;
        }
        let Some(rate) = &self.exponential_rate else { return Ok(()) };
        within("baseRatePerMinute", rate.base_rate_per_minute, 1, 1_000)?;
        within("incrementFactor", rate.increment_factor, 1.1, 5.0)?;
        let criteria = &rate.rate_increase_criteria;
        match (criteria.number_of_notified_things, criteria.number_of_succeeded_things) {
            (Some(count), None) => within("numberOfNotifiedThings", count, 1, u32::MAX),
            (None, Some(count)) => within("numberOfSucceededThings", count, 1, u32::MAX),
            _ => {
                let message = "rateIncreaseCriteria has one of numberOfNotifiedThings and numberOfSucceededThings";
                Err(Error::invalid(message))
            }
        }
    }
}

impl AbortConfig {
    fn check(&self) -> Result<(), Error> {
        if self.criteria_list.is_empty() {
            return Err(Error::invalid("criteriaList of abortConfig is empty"));
        }
        for criteria in &self.criteria_list {
            within("thresholdPercentage", criteria.threshold_percentage, 0.01, 100.0)?;
            within("minNumberOfExecutedThings", criteria.min_number_of_executed_things, 1, u32::MAX)?;
        }
        Ok(())
    }
}

impl RetryConfig {
    fn check(&self) -> Result<(), Error> {
        if !(1..=2).contains(&self.criteria_list.len()) {
            return Err(Error::invalid("criteriaList of jobExecutionsRetryConfig has 1 or 2 members"));
        }
        if self.criteria_list.iter().any(|criteria| criteria.failure_type == FailureType::Rejected) {
            return Err(Error::invalid("failureType of jobExecutionsRetryConfig is FAILED, TIMED_OUT or ALL"));
        }
        let retries = self.criteria_list.iter().map(|criteria| criteria.number_of_retries);
        within("numberOfRetries", retries.fold(0, u32::saturating_add), 0, MAX_RETRIES)
    }
}

fn within<N: PartialOrd + std::fmt::Display>(member: &str, value: N, min: N, max: N) -> Result<(), Error> {
    match value >= min && value <= max {
        true => Ok(()),
        false => Err(Error::invalid(format!("{member} is {value}: it is {min} to {max}"))),
    }
}
