//! `Summary`: what an invocation did for batches, as metrics.

use domain::Timestamp;
use runtime::metrics;

/// Numbers of batches and executions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Batches that were claimed and processed.
    pub batches: u64,
    /// Executions that were stored.
    pub stored: u64,
    /// Things whose execution belongs to another batch.
    pub duplicates: u64,
    /// Things whose execution could not be stored, and is tried again.
    pub failed: u64,
    /// Open executions that were looked at.
    pub monitored: u64,
    /// Executions that were canceled.
    pub canceled: u64,
}

impl Summary {
    /// Writes the metrics, if a batch was processed.
    pub fn report(&self, at: Timestamp) {
        let counts = [
            ("BatchesSeenTo", self.batches),
            ("ExecutionsStored", self.stored),
            ("ThingsInSeveralBatches", self.duplicates),
            ("ThingsPutOff", self.failed),
            ("ExecutionsWatched", self.monitored),
            ("ExecutionsCalledOff", self.canceled),
        ];
        if self.batches > 0 {
            metrics::count(at, &counts, &[]);
        }
    }
}

impl std::ops::AddAssign for Summary {
    fn add_assign(&mut self, other: Self) {
        self.batches += other.batches;
        self.stored += other.stored;
        self.duplicates += other.duplicates;
        self.failed += other.failed;
        self.monitored += other.monitored;
        self.canceled += other.canceled;
    }
}
