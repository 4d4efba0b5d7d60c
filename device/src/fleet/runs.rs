//! What each simulated thing ran: what a checker holds against the history that the cloud tells.

use std::sync::{Mutex, PoisonError};

/// One run of a command on a simulated thing, by the clock that the fleet was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Where.
    pub thing: String,
    /// The execution; of a broadcast, the command's id.
    pub execution_id: String,
    /// Which attempt at it.
    pub attempt: u32,
    /// Until when it might start, as its request said, in milliseconds since 1970.
    pub expires_at_ms: i64,
    /// When it was begun.
    pub started_ms: i64,
    /// When it ended, and how; `None` while it runs.
    pub ended: Option<(i64, Finish)>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Finish {
    /// The work was done.
    Succeeded,
    /// It was not.
    Failed,
    /// Canceled while it ran.
    Stopped,
    /// The thing lost power while it ran.
    Lost,
}

/// Every run of a fleet, in the order in which they began.
#[derive(Debug, Default)]
pub(crate) struct Runs(Mutex<Vec<Run>>);

impl Runs {
    /// The number by which [`end`](Self::end) knows it.
    pub fn begin(&self, run: Run) -> usize {
        let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        runs.push(run);
        runs.len() - 1
    }

    pub fn end(&self, number: usize, at_ms: i64, finish: Finish) {
        if let Some(run) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(number) {
            run.ended.get_or_insert((at_ms, finish));
        }
    }

    pub fn all(&self) -> Vec<Run> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
