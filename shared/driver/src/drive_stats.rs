//! `DriveStats`: what was done while rows were driven.

use serde::Serialize;

/// What was done while rows were driven: a number of actions each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DriveStats {
    /// Verdicts written: executions that the cloud has ended.
    pub settled: u64,
    /// Retries scheduled after a failed attempt.
    pub retried: u64,
    /// Requests sent.
    pub sent: u64,
    /// Clean-ups after an end.
    pub cleaned_up: u64,
    /// Due entries moved or removed.
    pub due_moved: u64,
    /// Conditional writes lost to other writers.
    pub conflicts: u64,
}

impl std::ops::AddAssign for DriveStats {
    fn add_assign(&mut self, other: Self) {
        self.settled += other.settled;
        self.retried += other.retried;
        self.sent += other.sent;
        self.cleaned_up += other.cleaned_up;
        self.due_moved += other.due_moved;
        self.conflicts += other.conflicts;
    }
}
