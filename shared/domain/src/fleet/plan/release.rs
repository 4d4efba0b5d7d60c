//! Release of things by the rollout: how many more may be released, and the plan after that.

use crate::command::row::Command;
use crate::fleet::batch::row::Batch;
use crate::fleet::counts::totals::Counts;
use crate::fleet::plan::row::{Plan, ReleasePosition};
use crate::fleet::rollout::progress::{RolloutProgress, RolloutStep};
use crate::fleet::rollout::snapshot::RolloutSnapshot;
use crate::fleet::rollout::step_wakes::StepWakes;
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
            awaits_counts: false,
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
    ///
    /// With a rate and abort criteria a step waits until the counts know each execution but those of the last step. So
    /// counts that lag behind hold the rollout, and do not hide its failures from the criteria.
    pub(super) fn rollout_step(&self, fleet: &Fleet, counts: &Counts, now: Timestamp) -> RolloutStep {
        let snapshot = self.rollout_snapshot(counts);
        let has_criteria = !fleet.abort.criteria().is_empty();
        let has_rate = fleet.rollout.rate(self.progress.released, snapshot.outcomes.succeeded).is_some();
        let awaits_counts = has_criteria && has_rate && counts.reached() < self.released_before;
        self.progress.next_step(&fleet.rollout, &fleet.schedule, &RolloutSnapshot { awaits_counts, ..snapshot }, now)
    }

    /// When the next things are released; none if that does not depend on time alone.
    pub fn next_release_at(
        &self,
        command: &Command,
        fleet: &Fleet,
        counts: &Counts,
        now: Timestamp,
    ) -> Option<Timestamp> {
        if !command.control.is_running() || !self.has_unreleased(fleet) {
            return None;
        }
        let step = self.rollout_step(fleet, counts, now);
        if step.released > self.progress.released { Some(now) } else { step.release_at }
    }

    /// The plan after things were released by a step, and the times of the next steps for which its writer sends wakes.
    #[must_use]
    pub fn released(
        &self,
        fleet: &Fleet,
        step: &RolloutStep,
        release_position: ReleasePosition,
        now: Timestamp,
    ) -> (Self, Vec<Timestamp>) {
        self.with_released(step.progress(), release_position, now).with_step_wakes(fleet, step, now)
    }

    /// The plan with the wakes for the next steps, and their times: none if enough were sent.
    pub(super) fn with_step_wakes(self, fleet: &Fleet, step: &RolloutStep, now: Timestamp) -> (Self, Vec<Timestamp>) {
        let rate_changes = fleet.rollout.rate_changes();
        let sent = self.step_wakes.filter(|sent| sent.rate_changes == rate_changes).map(|sent| sent.until);
        let wakes = step.wakes(self.things.saturating_sub(step.released), sent, now);
        let step_wakes = wakes.last().map(|&until| StepWakes { until, rate_changes }).or(self.step_wakes);
        (Self { step_wakes, ..self }, wakes)
    }

    fn with_released(&self, progress: RolloutProgress, release_position: ReleasePosition, now: Timestamp) -> Self {
        let released_before = self.progress.released;
        self.next(|plan| Self { progress, released_before, release_position, ..plan }).watched(now)
    }

    /// The plan after the schedule has ended, with a note for the operator: no more things are released. `released` and
    /// `position` are how far the batches are released. If that is further than in the plan, because an invocation
    /// released batches and crashed before it wrote the plan, only that is recorded, and the plan closes with the next
    /// action.
    #[must_use]
    pub fn close(&self, note: String, released: u64, position: ReleasePosition, now: Timestamp) -> Self {
        if released > self.progress.released {
            let progress = RolloutProgress { released, ..self.progress };
            return self.with_released(progress, position, now);
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
