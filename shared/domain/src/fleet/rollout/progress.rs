//! `RolloutProgress`: how many things are released, and how many more may be by rate, gates and schedule.

use crate::fleet::rollout::config::Rollout;
use crate::fleet::rollout::halt::RolloutHalt;
use crate::fleet::rollout::snapshot::RolloutSnapshot;
use crate::fleet::rollout::token_bucket::TokenBucket;
use crate::fleet::schedule::config::Schedule;
use crate::fleet::schedule::opening::Opening;
use crate::timestamp::Timestamp;

/// How far a rollout has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RolloutProgress {
    /// How many things are released: the first ones in the order of the batches.
    pub released: u64,
    /// The instant up to which the rate is used up; none before its first use.
    pub rate_used_until: Option<Timestamp>,
}

/// The result of one step of a rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RolloutStep {
    /// How many things may be released now: never less than before, nor more than are planned.
    pub released: u64,
    /// See [`RolloutProgress::rate_used_until`].
    pub rate_used_until: Option<Timestamp>,
    /// When time alone allows more things; none if only counts, plan or operator can.
    pub release_at: Option<Timestamp>,
    /// When time alone allows more, or ends the schedule; none if only counts, plan or operator can.
    pub recheck_at: Option<Timestamp>,
    /// The rate of the next steps, in things per minute; none if the rate is not limited, or the schedule is not open.
    pub rate: Option<u32>,
    /// Why the rollout does not continue by itself, if it does not.
    pub halt: Option<RolloutHalt>,
}

impl RolloutStep {
    /// The progress after this step.
    pub const fn progress(&self) -> RolloutProgress {
        RolloutProgress { released: self.released, rate_used_until: self.rate_used_until }
    }
}

impl RolloutProgress {
    /// Things that one step releases without a rate. The step is written when they are released, so a crash loses at
    /// most that much of a large fleet.
    pub const MAX_STEP_THINGS: u64 = 5_000;

    /// How many things may be released now. Must be called while the command runs: when the plan or the counts have
    /// changed and at [`RolloutStep::recheck_at`]. A caller that comes every second gets the full rate.
    pub fn next_step(
        &self,
        rollout: &Rollout,
        schedule: &Schedule,
        snapshot: &RolloutSnapshot,
        now: Timestamp,
    ) -> RolloutStep {
        let limit = rollout.gate_limit(self.released, snapshot);
        let left = if snapshot.awaits_counts { 0 } else { limit.things.saturating_sub(self.released) };
        let mut step = RolloutStep {
            released: self.released,
            rate_used_until: self.rate_used_until,
            release_at: None,
            recheck_at: None,
            rate: None,
            halt: limit.halt,
        };
        match schedule.opening(now) {
            Opening::Never => {
                let left = snapshot.planned.saturating_sub(self.released);
                step.halt = snapshot.has_more_than(self.released).then_some(RolloutHalt::NotAfterPassed { left });
                return step;
            }
            Opening::At(at) => step.release_at = (left > 0).then_some(at),
            Opening::Now { .. } => match rollout.rate(self.released, snapshot.outcomes.succeeded) {
                None => step.released = self.released.saturating_add(left.min(Self::MAX_STEP_THINGS)),
                Some(rate) => {
                    let taken = TokenBucket::new(rate).take(self.rate_used_until, left, now);
                    step.released = self.released.saturating_add(taken.things);
                    step.rate_used_until = taken.used_until;
                    step.rate = Some(rate);
                    step.release_at = taken.next_at.and_then(|next_at| match schedule.opening(next_at) {
                        Opening::At(opens) => Some(opens),
                        Opening::Now { .. } => Some(next_at),
                        Opening::Never => None,
                    });
                }
            },
        }
        let end = schedule.not_after.filter(|_| snapshot.has_more_than(step.released));
        step.recheck_at = [step.release_at, end].into_iter().flatten().min();
        step
    }
}

impl RolloutSnapshot {
    /// Whether more things than these are planned, or may still be.
    fn has_more_than(&self, released: u64) -> bool {
        !self.planning_complete || self.planned > released
    }
}
