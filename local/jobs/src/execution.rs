//! One execution of a job on a thing.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::details::Details;
use super::status::ExecutionStatus;

const MINUTE_MS: i64 = 60_000;

/// An execution. A retry is an execution of its own, with the next number.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Execution {
    pub(super) number: i64,
    pub(super) status: ExecutionStatus,
    /// Counts the changes; 1 at first.
    pub(super) version: i64,
    pub(super) details: Details,
    pub(super) queued_ms: i64,
    pub(super) started_ms: Option<i64>,
    pub(super) updated_ms: i64,
    /// Orders all executions by their creation.
    pub(super) sequence: u64,
    /// Retries before this execution; 0 again after the thing has rejoined the target.
    pub(super) retry_attempt: u32,
    pub(super) force_canceled: bool,
    /// When the timer of the job ends.
    in_progress_deadline_ms: Option<i64>,
    /// When the timer of the device's own step ends.
    step_deadline_ms: Option<i64>,
}

/// What a device asks of its step timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StepTimer {
    Keep,
    Cancel,
    Minutes(i64),
}

impl Execution {
    pub(super) fn queued(number: i64, sequence: u64, retry_attempt: u32, now_ms: i64) -> Self {
        Self {
            number,
            status: ExecutionStatus::Queued,
            version: 1,
            details: Details::new(),
            queued_ms: now_ms,
            started_ms: None,
            updated_ms: now_ms,
            sequence,
            retry_attempt,
            force_canceled: false,
            in_progress_deadline_ms: None,
            step_deadline_ms: None,
        }
    }

    /// Sets the status. The first IN_PROGRESS starts the timer of the job, of `minutes`.
    pub(super) fn set_status(&mut self, status: ExecutionStatus, minutes: Option<i64>, now_ms: i64) {
        if status == ExecutionStatus::InProgress && self.started_ms.is_none() {
            self.started_ms = Some(now_ms);
            self.in_progress_deadline_ms = minutes.map(|minutes| now_ms + minutes * MINUTE_MS);
        }
        self.status = status;
        self.version += 1;
        self.updated_ms = now_ms;
    }

    pub(super) fn set_step_timer(&mut self, timer: StepTimer, now_ms: i64) {
        match timer {
            StepTimer::Keep => {}
            StepTimer::Cancel => self.step_deadline_ms = None,
            StepTimer::Minutes(minutes) => self.step_deadline_ms = Some(now_ms + minutes * MINUTE_MS),
        }
    }

    /// When the execution times out. A step timer cannot exceed the timer of the job.
    pub(super) fn deadline_ms(&self) -> Option<i64> {
        let running = self.status == ExecutionStatus::InProgress;
        [self.in_progress_deadline_ms, self.step_deadline_ms].into_iter().flatten().min().filter(|_| running)
    }

    pub(super) fn seconds_before_timeout(&self, now_ms: i64) -> Option<i64> {
        self.deadline_ms().map(|deadline| (deadline - now_ms).max(0) / 1_000)
    }

    /// `JobExecutionState`, which a device gets with a rejected update.
    pub(super) fn state(&self) -> Value {
        json!({ "status": self.status, "statusDetails": self.details, "versionNumber": self.version })
    }

    /// `JobExecutionSummary` of the device's API; times are whole seconds.
    pub(super) fn device_summary(&self, job_id: &str) -> Value {
        let mut summary = json!({
            "jobId": job_id,
            "queuedAt": self.queued_ms.div_euclid(1_000),
            "lastUpdatedAt": self.updated_ms.div_euclid(1_000),
            "executionNumber": self.number,
            "versionNumber": self.version,
        });
        if let Some(started_ms) = self.started_ms {
            summary["startedAt"] = started_ms.div_euclid(1_000).into();
        }
        summary
    }
}
