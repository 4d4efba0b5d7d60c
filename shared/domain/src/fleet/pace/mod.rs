//! How many things of a fleet may be out: by the rate, the gates and the schedule.

mod bucket;
#[cfg(test)]
mod tests;

use std::fmt;

use super::{Counts, Ends, Gate, Open, Plan, Rollout, Schedule};
use crate::Timestamp;
use bucket::Bucket;

/// How far a rollout has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// How many things may be out, the first ones in the order of the plan.
    pub released: u64,
    /// Up to when the rate has been used up; none before it first was.
    pub at: Option<Timestamp>,
}

/// What is known of the fleet when the next step is decided. Numbers that lag behind are safe: the step is only smaller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// How many things are planned by now.
    pub planned: u64,
    /// Whether those are all.
    pub planned_all: bool,
    /// How those ended that have.
    pub ends: Ends,
    /// How many of those released were found to be in the plan twice: no execution of theirs will end.
    pub duplicates: u64,
    /// How many were released when somebody resumed the rollout although too few had succeeded: up to there it is not stopped
    /// for that again. 0 if nobody did.
    pub passed: u64,
}

/// What is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// How many things may be out now: never less than before, nor more than are planned.
    pub released: u64,
    /// See [`Pace::at`].
    pub at: Option<Timestamp>,
    /// When time alone lets more go, or ends it; none if only the counts, the plan or somebody can.
    pub look_again: Option<Timestamp>,
    /// Why it does not go on by itself, if it does not.
    pub stop: Option<Stop>,
}

/// Why a rollout stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// All that are out have ended, and too few of them well: it pauses.
    TooFewSucceeded {
        /// Where.
        gate: Gate,
        /// How many succeeded,
        succeeded: u64,
        /// of how many,
        of: u64,
        /// and how many percent should have.
        success_percentage: u8,
    },
    /// The schedule has ended before all were out: the rest is not asked.
    NotAfterPassed {
        /// How many of those planned by now.
        left: u64,
    },
}

impl Seen {
    /// What a plan and the counts say.
    pub fn of(plan: &Plan, counts: &Counts) -> Self {
        Self {
            planned: plan.things,
            planned_all: plan.complete,
            ends: counts.ends(),
            duplicates: counts.duplicates(),
            passed: plan.resumed.released,
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFewSucceeded { gate, succeeded, of, success_percentage } => {
                write!(f, "{succeeded} of the {of} things of {gate} succeeded, less than {success_percentage} %")
            }
            Self::NotAfterPassed { left } => write!(f, "the schedule has ended, and {left} things are not asked"),
        }
    }
}

impl Step {
    /// How far the rollout has come with it.
    pub const fn pace(&self) -> Pace {
        Pace { released: self.released, at: self.at }
    }
}

impl Pace {
    /// Without a rate, so many are let go in one step, which is then written: whoever dies in the middle of a large fleet loses only that.
    pub const MOST_AT_ONCE: u64 = 5_000;

    /// How many may be out now. It is asked whenever the plan or the counts have changed, and when its last answer said so; someone
    /// who asks every `tick_seconds` or sooner gets the full rate. To be called while the rollout runs, not while it is paused.
    pub fn next(&self, rollout: &Rollout, schedule: &Schedule, seen: &Seen, tick_seconds: u32, now: Timestamp) -> Step {
        let limit = rollout.limit(self.released, seen);
        let left = limit.things.saturating_sub(self.released);
        let more = !seen.planned_all || seen.planned > self.released;
        let mut step = Step { released: self.released, at: self.at, look_again: None, stop: limit.stop };
        match schedule.opens(now) {
            Open::Never => {
                let left = seen.planned.saturating_sub(self.released);
                step.stop = more.then_some(Stop::NotAfterPassed { left });
                return step;
            }
            Open::At(at) => step.look_again = (left > 0).then_some(at),
            Open::Now { .. } => match rollout.rate(self.released, seen.ends.succeeded) {
                None => step.released = self.released.saturating_add(left.min(Self::MOST_AT_ONCE)),
                Some(rate) => {
                    let bucket = Bucket::new(rate, tick_seconds);
                    let taken = bucket.take(self.at, left, now);
                    step.released = self.released.saturating_add(taken.things);
                    step.at = taken.at;
                    step.look_again = taken.again.map(|again| match schedule.opens(again) {
                        Open::At(opens) => opens,
                        Open::Now { .. } | Open::Never => again,
                    });
                }
            },
        }
        let more = !seen.planned_all || seen.planned > step.released;
        let end = schedule.not_after.filter(|_| more);
        step.look_again = [step.look_again, end].into_iter().flatten().min();
        step
    }
}
