//! The log of what each simulated thing ran, to be compared with the history that the cloud reports.

use std::sync::{Mutex, PoisonError};

/// One run of a command on a simulated thing. Times are in milliseconds since 1970-01-01 UTC, by the fleet's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The thing's name.
    pub thing: String,
    /// The execution's id; for a broadcast, the command's id.
    pub execution_id: String,
    /// The attempt, from 1.
    pub attempt: u32,
    /// The expiry in its request: the run may not start at or after it.
    pub expires_at_ms: i64,
    /// When the run started.
    pub started_ms: i64,
    /// When and how the run ended; `None` while it runs.
    pub ended: Option<(i64, RunOutcome)>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RunOutcome {
    /// The work was done.
    Succeeded,
    /// The work failed.
    Failed,
    /// The command was canceled while it ran.
    Stopped,
    /// The thing lost power while it ran.
    Lost,
}

/// Every run of a fleet, in the order of their starts.
#[derive(Debug, Default)]
pub(crate) struct RunLog(Mutex<Vec<Run>>);

impl RunLog {
    /// Adds a run, and returns its number for [`end`](Self::end).
    pub fn start(&self, run: Run) -> usize {
        let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        runs.push(run);
        runs.len() - 1
    }

    /// Records the end of a run, unless it has ended already.
    pub fn end(&self, number: usize, at_ms: i64, outcome: RunOutcome) {
        if let Some(run) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(number) {
            run.ended.get_or_insert((at_ms, outcome));
        }
    }

    pub fn all(&self) -> Vec<Run> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
