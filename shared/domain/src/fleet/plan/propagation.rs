//! Propagation of a pause, a resume or a cancel to the batches, and the resume point that is recorded before it.

use std::cmp::Ordering;
use std::ops::Range;

use crate::fleet::control::Control;
use crate::fleet::counts::totals::Counts;
use crate::fleet::plan::row::{ControlPropagation, Plan, ResumePoint};
use crate::ids::BatchNumber;
use crate::timestamp::Timestamp;

impl Plan {
    /// Batches to which one step propagates a change of control.
    pub const MAX_PROPAGATED_BATCHES: BatchNumber = 50;

    /// The next batches that must learn of the last change of control; none if all have. The range is empty if there
    /// are no batches.
    pub fn next_to_propagate(&self, control: &Control) -> Option<Range<BatchNumber>> {
        let from = match self.propagation.generation.cmp(&control.generation) {
            Ordering::Less => 0,
            // The control was never changed.
            _ if control.generation == 0 => return None,
            _ => Some(self.propagation.next).filter(|next| *next < self.batches)?,
        };
        Some(from..from.saturating_add(Self::MAX_PROPAGATED_BATCHES).min(self.batches))
    }

    /// The plan after a change of control has reached the batches before `next`.
    #[must_use]
    pub fn propagated(&self, generation: u32, next: BatchNumber, now: Timestamp) -> Self {
        self.next(|plan| Self { propagation: ControlPropagation { generation, next }, ..plan }).watched(now)
    }

    /// Whether the command was resumed and the resume point is not recorded yet.
    pub fn has_unrecorded_resume(&self, control: &Control) -> bool {
        control.is_running() && control.generation > self.propagation.generation
    }

    /// The plan with the resume point of a command that was resumed. It is recorded before the resume is propagated.
    ///
    /// If all released executions have ended, the operator knows their outcomes, and their canary or wave is not judged
    /// again. Otherwise it still is.
    #[must_use]
    pub fn record_resume(&self, control: &Control, counts: &Counts, now: Timestamp) -> Self {
        let outcomes = counts.outcomes();
        let all_ended = outcomes.executed.saturating_add(counts.duplicates()) >= self.progress.released;
        let released = if all_ended { self.progress.released } else { self.resume_point.released };
        let resume_point = ResumePoint { released, outcomes };
        let propagation = ControlPropagation { generation: control.generation, next: 0 };
        self.next(|plan| Self { resume_point, propagation, ..plan }).watched(now)
    }
}
