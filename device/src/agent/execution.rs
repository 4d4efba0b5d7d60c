//! What a device remembers of one execution: its state, and how a request, a cancel or a heartbeat changes it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::action::Action;
use super::id::Id;
use super::outcome::{Outcome, Status};
use super::report;

/// One execution, as far as this device knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Execution {
    #[serde(flatten)]
    pub id: Id,
    /// The attempt that `state` describes, from 1.
    pub attempt: u32,
    /// The newest attempt that was requested, started or not: an older one never starts.
    #[serde(default)]
    pub newest_attempt: u32,
    pub response_topic: String,
    /// The latest expiry of its requests: after it, no request can start it, and it may be forgotten. `i64::MAX` while
    /// no request has arrived, since a cancel notice carries no expiry.
    pub expires_at_ms: i64,
    pub state: ExecutionState,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum ExecutionState {
    Running {
        /// The number of the last report, from 0.
        seq: u32,
        heartbeat_ms: Option<i64>,
        next_heartbeat_ms: i64,
        /// Present if the command is safe to run twice.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rerun: Option<Rerun>,
    },
    Ended(Outcome),
    /// No attempt runs any more. Holds the outcome that was reported before the cancel, if any, which stays valid; or
    /// that of the attempt that the cancel stopped, once it has stopped.
    Canceled(Option<Outcome>),
}

/// What is needed to start an interrupted command again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Rerun {
    pub command: String,
    pub payload: Value,
    /// The expiry of the attempt that runs.
    pub expires_at_ms: i64,
}

impl Execution {
    pub fn is_running(&self) -> bool {
        matches!(self.state, ExecutionState::Running { .. })
    }

    /// Records that an attempt is requested, and returns whether it may start: it must be newer than every attempt so
    /// far, and the attempt before it must have ended without success.
    pub fn admit_attempt(&mut self, attempt: u32, expires_at_ms: i64) -> bool {
        let is_outdated = attempt <= self.attempt || attempt < self.newest_attempt;
        self.newest_attempt = self.newest_attempt.max(attempt);
        let known_expiry = Some(self.expires_at_ms).filter(|at| *at != i64::MAX);
        self.expires_at_ms = known_expiry.map_or(expires_at_ms, |at| at.max(expires_at_ms));
        !is_outdated && matches!(&self.state, ExecutionState::Ended(outcome) if outcome.status() != Status::Succeeded)
    }

    /// Forbids every further attempt. Returns whether an attempt was running.
    pub fn cancel(&mut self) -> bool {
        let was_running = self.is_running();
        let outcome = match &self.state {
            ExecutionState::Running { .. } => None,
            ExecutionState::Ended(outcome) => Some(outcome.clone()),
            ExecutionState::Canceled(outcome) => outcome.clone(),
        };
        self.state = ExecutionState::Canceled(outcome);
        was_running
    }

    /// The heartbeat that is due, if any. After a gap one is enough: heartbeats prove that the command runs, their
    /// number has no meaning.
    pub fn beat_if_due(&mut self, now_ms: i64) -> Option<Action> {
        match &mut self.state {
            ExecutionState::Running { seq, heartbeat_ms: Some(interval_ms), next_heartbeat_ms, .. }
                if *next_heartbeat_ms <= now_ms =>
            {
                *next_heartbeat_ms = now_ms.saturating_add(*interval_ms);
                *seq = seq.saturating_add(1);
                self.report()
            }
            _ => None,
        }
    }

    pub fn next_heartbeat_ms(&self) -> Option<i64> {
        match self.state {
            ExecutionState::Running { heartbeat_ms: Some(_), next_heartbeat_ms, .. } => Some(next_heartbeat_ms),
            _ => None,
        }
    }

    /// The report of the current state, on the topic of the request that started the attempt.
    pub fn report(&self) -> Option<Action> {
        self.report_bytes().map(|bytes| Action::Report { topic: self.response_topic.clone(), bytes })
    }

    /// The report of the current state; `None` when the execution was canceled before it had an outcome.
    pub fn report_bytes(&self) -> Option<Vec<u8>> {
        match &self.state {
            ExecutionState::Running { seq, .. } => Some(report::in_progress(&self.id, self.attempt, *seq)),
            ExecutionState::Ended(outcome) | ExecutionState::Canceled(Some(outcome)) => {
                Some(report::ended(&self.id, self.attempt, outcome))
            }
            ExecutionState::Canceled(None) => None,
        }
    }
}
