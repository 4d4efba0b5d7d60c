//! `RolloutSnapshot`: what is known of a fleet command when the next step of its rollout is computed.

use crate::fleet::outcome_counts::OutcomeCounts;

/// Plan and counts at one time. Counts that lag behind are safe: the step is only smaller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RolloutSnapshot {
    /// Things that are planned so far.
    pub planned: u64,
    /// Whether the whole target is planned.
    pub planning_complete: bool,
    /// The executions that have ended.
    pub outcomes: OutcomeCounts,
    /// Released things that are in two batches: the second place never gets an execution of its own.
    pub duplicates: u64,
    /// Whether nothing is released before the counts have caught up with the last step: see
    /// [`Plan`](crate::fleet::plan::row::Plan).
    pub awaits_counts: bool,
    /// Gates at or below this number of released things are not judged again, because an operator resumed the rollout
    /// after their executions had ended. 0 if there was no such resume.
    pub waived_up_to: u64,
}
