//! Drives a row until it is idle: takes its next action, again and again, until nothing is left to do now.
//!
//! Work that a crashed function left undone stays in the due index, and the reconciler does it.

use calls::{Calls, Error, WriteOutcome};
use domain::{Execution, NextAction};
use serde::Serialize;

use crate::driver::Driver;

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

/// The most actions on one row. A row needs fewer at any time; more would be a loop.
const MAX_ACTIONS: usize = 16;

impl<C: Calls> Driver<'_, C> {
    /// Drives a row until it is idle, and the ended rows that have to leave its lane.
    ///
    /// # Errors
    /// A failed read or write. What was done before it stays done.
    pub async fn run_until_idle(&self, row: Execution) -> Result<DriveStats, Error> {
        let mut stats = DriveStats::default();
        let mut rows = vec![row];
        while let Some(row) = rows.pop() {
            rows.extend(self.run_row(row, &mut stats).await?);
        }
        Ok(stats)
    }

    /// Drives one row. Returns the ended rows of its lane that have to be cleaned up.
    async fn run_row(&self, mut row: Execution, stats: &mut DriveStats) -> Result<Vec<Execution>, Error> {
        let mut ended = Vec::new();
        for _ in 0..MAX_ACTIONS {
            let (counter, change) = match row.next_action(self.event_time(), &self.actor) {
                NextAction::Nothing => break,
                NextAction::Write(change) if change.is_terminal() && change.is_transition() => {
                    (&mut stats.settled, change)
                }
                NextAction::Write(change) if change.is_transition() => (&mut stats.retried, change),
                NextAction::Write(change) => (&mut stats.due_moved, change),
                action @ (NextAction::Send | NextAction::TryLane) => {
                    let sent = match action {
                        NextAction::Send => self.claim_and_send(row).await?,
                        _ => self.try_lane(row).await?,
                    };
                    let Some(sent) = sent else { break };
                    stats.sent += 1;
                    row = sent.row;
                    continue;
                }
                NextAction::CleanUp { clean_shadow, leave_lane, then } => {
                    if clean_shadow {
                        self.clean_shadow(&row).await?;
                    }
                    if leave_lane {
                        ended.extend(self.leave_lane(&row).await?);
                    }
                    (&mut stats.cleaned_up, then)
                }
            };
            row = match self.write(row, &change).await? {
                WriteOutcome::Applied(next) => {
                    *counter += 1;
                    next
                }
                WriteOutcome::Conflict(other) => {
                    stats.conflicts += 1;
                    other
                }
                WriteOutcome::NotFound => break,
            };
        }
        Ok(ended)
    }
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
