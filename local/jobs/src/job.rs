//! A job: what it asks, of which targets, and its executions.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::config::Configuration;
use super::execution::Execution;
use super::http::seconds;
use super::status::{ExecutionStatus, JobStatus};

/// Members of `jobProcessDetails`, and the status that each counts.
const COUNTS: [(&str, ExecutionStatus); 8] = [
    ("numberOfCanceledThings", ExecutionStatus::Canceled),
    ("numberOfSucceededThings", ExecutionStatus::Succeeded),
    ("numberOfFailedThings", ExecutionStatus::Failed),
    ("numberOfRejectedThings", ExecutionStatus::Rejected),
    ("numberOfQueuedThings", ExecutionStatus::Queued),
    ("numberOfInProgressThings", ExecutionStatus::InProgress),
    ("numberOfRemovedThings", ExecutionStatus::Removed),
    ("numberOfTimedOutThings", ExecutionStatus::TimedOut),
];

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Job {
    /// Orders all jobs by their creation.
    pub(super) sequence: u64,
    pub(super) status: JobStatus,
    /// Whether things that become targets later get the job too: CONTINUOUS, else SNAPSHOT.
    pub(super) continuous: bool,
    /// ARNs of things and groups.
    pub(super) targets: Vec<String>,
    /// JSON, as it was given.
    pub(super) document: String,
    pub(super) description: Option<String>,
    pub(super) comment: Option<String>,
    pub(super) reason_code: Option<String>,
    pub(super) force_canceled: bool,
    pub(super) configuration: Configuration,
    pub(super) created_ms: i64,
    pub(super) updated_ms: i64,
    pub(super) completed_ms: Option<i64>,
    /// Things whose execution is yet to be created, in the order of the rollout.
    pub(super) waiting: VecDeque<String>,
    /// When the next of them are released.
    pub(super) next_release_ms: i64,
    /// How often an exponential rate has been increased.
    pub(super) rate_increases: u32,
    /// The executions of each thing, the latest last.
    pub(super) executions: BTreeMap<String, Vec<Execution>>,
    /// Things by the status of their latest execution.
    pub(super) counts: BTreeMap<ExecutionStatus, u64>,
}

impl Job {
    pub(super) fn latest(&self, thing: &str) -> Option<&Execution> {
        self.executions.get(thing).and_then(|executions| executions.last())
    }

    pub(super) fn latest_mut(&mut self, thing: &str) -> Option<&mut Execution> {
        self.executions.get_mut(thing).and_then(|executions| executions.last_mut())
    }

    /// The execution with this number; the latest without one.
    pub(super) fn execution(&self, thing: &str, number: Option<i64>) -> Option<&Execution> {
        match number {
            None => self.latest(thing),
            Some(number) => self.executions.get(thing)?.iter().find(|execution| execution.number == number),
        }
    }

    /// Things whose latest execution is in a status that is wanted.
    pub(super) fn things_in(&self, is_wanted: impl Fn(ExecutionStatus) -> bool) -> Vec<String> {
        let latest = self.executions.iter().filter_map(|(thing, executions)| Some((thing, executions.last()?.status)));
        latest.filter(|(_, status)| is_wanted(*status)).map(|(thing, _)| thing.clone()).collect()
    }

    pub(super) fn count(&self, is_counted: impl Fn(ExecutionStatus) -> bool) -> u64 {
        self.counts.iter().filter(|(status, _)| is_counted(**status)).map(|(_, count)| count).sum()
    }

    /// Moves a thing in [`Job::counts`]; none is a thing without an execution.
    pub(super) fn recount(&mut self, from: Option<ExecutionStatus>, to: Option<ExecutionStatus>) {
        if let Some(count) = from.and_then(|from| self.counts.get_mut(&from)) {
            *count = count.saturating_sub(1);
        }
        if let Some(to) = to {
            *self.counts.entry(to).or_default() += 1;
        }
    }

    pub(super) fn is_active(&self) -> bool {
        self.status == JobStatus::InProgress
    }

    pub(super) fn target_selection(&self) -> &'static str {
        if self.continuous { "CONTINUOUS" } else { "SNAPSHOT" }
    }

    /// The document as a value; it was checked when the job was created.
    pub(super) fn document_value(&self) -> Value {
        serde_json::from_str(&self.document).unwrap_or_default()
    }

    /// `jobProcessDetails`.
    pub(super) fn process_details(&self) -> Map<String, Value> {
        let count = |status| self.counts.get(&status).copied().unwrap_or_default();
        COUNTS.into_iter().map(|(name, status)| (name.to_owned(), count(status).into())).collect()
    }

    /// `Job` of the control plane.
    pub(super) fn shown(&self, id: &str, arn: String) -> Value {
        let mut details = self.process_details();
        if !self.waiting.is_empty() {
            details.insert("processingTargets".to_owned(), json!(self.targets));
        }
        let mut shown = json!({
            "jobArn": arn,
            "jobId": id,
            "targetSelection": self.target_selection(),
            "status": self.status,
            "forceCanceled": self.force_canceled,
            "reasonCode": self.reason_code,
            "comment": self.comment,
            "targets": self.targets,
            "description": self.description,
            "createdAt": seconds(self.created_ms),
            "lastUpdatedAt": seconds(self.updated_ms),
            "completedAt": self.completed_ms.map(seconds),
            "jobProcessDetails": details,
            "isConcurrent": !self.waiting.is_empty(),
        });
        if let (Value::Object(shown), Ok(Value::Object(configuration))) =
            (&mut shown, serde_json::to_value(&self.configuration))
        {
            shown.extend(configuration);
        }
        shown
    }

    /// `JobSummary` of the control plane.
    pub(super) fn summary(&self, id: &str, arn: String) -> Value {
        json!({
            "jobArn": arn,
            "jobId": id,
            "targetSelection": self.target_selection(),
            "status": self.status,
            "createdAt": seconds(self.created_ms),
            "lastUpdatedAt": seconds(self.updated_ms),
            "completedAt": self.completed_ms.map(seconds),
            "isConcurrent": !self.waiting.is_empty(),
        })
    }
}
