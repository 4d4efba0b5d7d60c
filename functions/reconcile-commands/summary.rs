//! The summary of a run: the response of the function, and its metrics.

use domain::Timestamp;
use driver::drive_stats::DriveStats;
use runtime::handler_error::{HandlerError, chain};
use runtime::metrics;
use serde::Serialize;

/// What a run has done, or one shard of it.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// The actions on executions.
    #[serde(flatten)]
    pub stats: DriveStats,
    /// Rows that could not be read or written. They stay due.
    pub failed: u64,
    /// Due plans and batches whose functions were woken.
    pub woken: u64,
    /// Shards of the due index whose entries were handed over to another invocation.
    pub runs_handed_over: u64,
}

impl From<DriveStats> for Summary {
    fn from(stats: DriveStats) -> Self {
        Self { stats, ..Self::default() }
    }
}

impl Summary {
    /// Adds what became of one execution.
    pub fn add_driven(&mut self, shard: u8, driven: Result<Result<DriveStats, aws::Error>, tokio::task::JoinError>) {
        match driven {
            Ok(Ok(stats)) => self.stats += stats,
            Ok(Err(error)) => self.add_failure(shard, &error),
            Err(error) => self.add_failure(shard, &error),
        }
    }

    /// Counts a row that could not be handled.
    pub fn add_failure(&mut self, shard: u8, error: &dyn std::error::Error) {
        tracing::warn!(error = chain(error), shard, "a due row could not be handled: it stays due");
        self.failed += 1;
    }

    pub fn add(&mut self, other: &Self) {
        self.stats += other.stats;
        self.failed += other.failed;
        self.woken += other.woken;
        self.runs_handed_over += other.runs_handed_over;
    }

    /// The result of the run. It fails if a row or a shard failed, although everything else is done: Lambda retries the
    /// tick.
    pub fn into_result(self, failed_shards: u64) -> Result<Self, HandlerError> {
        match failed_shards + self.failed {
            0 => Ok(self),
            failed => Err(HandlerError::Incomplete(failed)),
        }
    }

    /// Writes the metrics, unless nothing was due.
    pub fn count(&self, now: Timestamp) {
        if *self == Self::default() {
            return;
        }
        let numbers = [
            ("ExecutionsSettled", self.stats.settled),
            ("ExecutionsRetried", self.stats.retried),
            ("ExecutionsSent", self.stats.sent),
            ("ExecutionsConcluded", self.stats.cleaned_up),
            ("ExecutionsMoved", self.stats.due_moved),
            ("RacesLost", self.stats.conflicts),
            ("FleetsWoken", self.woken),
            ("ExecutionsUnsettled", self.failed),
            ("RunsHandedOver", self.runs_handed_over),
        ];
        metrics::count(now, &numbers, &[]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_with_failures_fails_with_their_number() {
        let stats = DriveStats { settled: 3, conflicts: 1, ..DriveStats::default() };
        let summary = || Summary { stats, runs_handed_over: 1, ..Summary::default() };
        assert_eq!(summary().into_result(0).expect("complete"), summary());
        assert!(matches!(summary().into_result(2), Err(HandlerError::Incomplete(2))));
        let failed = || Summary { failed: 3, ..summary() };
        assert!(matches!(failed().into_result(0), Err(HandlerError::Incomplete(3))));
        assert!(matches!(failed().into_result(2), Err(HandlerError::Incomplete(5))));
    }
}
