//! Release of things by the rollout: how many more may be released, and the plan after that.

use crate::fleet::batch::row::Batch;
use crate::fleet::counts::totals::Counts;
use crate::fleet::plan::row::{Plan, ReleasePosition};
use crate::fleet::rollout::progress::{RolloutProgress, RolloutStep};
use crate::fleet::rollout::snapshot::RolloutSnapshot;
use crate::fleet::target::Fleet;
use crate::timestamp::Timestamp;

impl Plan {
    /// What a step of the rollout depends on.
    pub fn rollout_snapshot(&self, counts: &Counts) -> RolloutSnapshot {
        RolloutSnapshot {
            planned: self.things,
            planning_complete: self.complete,
            outcomes: counts.outcomes(),
            duplicates: counts.duplicates(),
            waived_up_to: self.resume_point.released,
        }
    }

    /// How many things are released: all planned ones if the fleet is immediate.
    pub fn released_things(&self, fleet: &Fleet) -> u64 {
        if fleet.is_immediate() { self.things } else { self.progress.released }
    }

    /// Whether planned things wait for the rollout or the schedule.
    pub(super) fn has_unreleased(&self, fleet: &Fleet) -> bool {
        !fleet.is_immediate() && !self.closed && self.things > self.progress.released
    }

    /// The next step of the rollout.
    pub(super) fn rollout_step(
        &self,
        fleet: &Fleet,
        counts: &Counts,
        tick_seconds: u32,
        now: Timestamp,
    ) -> RolloutStep {
        let snapshot = self.rollout_snapshot(counts);
        self.progress.next_step(&fleet.rollout, &fleet.schedule, &snapshot, tick_seconds, now)
    }

    /// The plan after things were released.
    #[must_use]
    pub fn released(&self, progress: RolloutProgress, release_position: ReleasePosition, now: Timestamp) -> Self {
        self.next(|plan| Self { progress, release_position, ..plan }).watched(now)
    }

    /// The plan after the schedule has ended, with a note for the operator: no more things are released. `released` and
    /// `position` are how far the batches are released. If that is further than in the plan, because an invocation
    /// released batches and crashed before it wrote the plan, only that is recorded, and the plan closes with the next
    /// action.
    #[must_use]
    pub fn close(&self, note: String, released: u64, position: ReleasePosition, now: Timestamp) -> Self {
        if released > self.progress.released {
            let progress = RolloutProgress { released, ..self.progress };
            return self.released(progress, position, now);
        }
        self.next(|plan| Self { closed: true, ..plan }).with_note(note)
    }
}

impl ReleasePosition {
    /// How many things of the batch at this position may be released if `released` things may be in all.
    pub fn allowed_in_batch(&self, released: u64) -> u16 {
        u16::try_from(released.saturating_sub(self.before)).unwrap_or(u16::MAX)
    }

    /// The position after the batch at this position, which has this many things.
    #[must_use]
    pub fn after_batch(&self, things: u16) -> Self {
        Self { batch: self.batch.saturating_add(1), before: self.before.saturating_add(things.into()) }
    }

    /// How many things are released in all, if no later batch is released than the one at this position.
    pub fn released_with(&self, batch: &Batch) -> u64 {
        self.before.saturating_add(batch.allowed.into())
    }
}
