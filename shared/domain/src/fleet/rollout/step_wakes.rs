//! `StepWakes`: the delayed messages that bring the next steps of a rollout with a rate at their times.
//!
//! Steps are a second apart, or as long as one thing takes by the rate. A message goes out for several steps ahead: if
//! each step sent only the next one, each would be late by the time that a message takes, and the rate would never be
//! reached. New ones go out while some are still ahead, so a few lost ones do not end the chain.

use crate::fleet::rollout::progress::RolloutStep;
use crate::fleet::rollout::token_bucket::TokenBucket;
use crate::timestamp::Timestamp;

/// Wakes are sent for the steps of this time, and for one at least.
const AHEAD_MILLIS: i64 = 10_000;

/// No more are sent while wakes are ahead for longer than this.
const ENOUGH_MILLIS: i64 = 5_000;

/// The wakes that were sent for a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepWakes {
    /// The time of the last one.
    pub until: Timestamp,
    /// How many times the rate had been changed: a change has wakes of its own.
    pub rate_changes: u32,
}

impl RolloutStep {
    /// The times of the steps after this one for which wakes have to be sent. `left`: things that are not released
    /// after this step. `sent`: what was sent before at the same rate.
    pub(in crate::fleet) fn wakes(&self, left: u64, sent: Option<Timestamp>, now: Timestamp) -> Vec<Timestamp> {
        let (Some(rate), Some(first)) = (self.rate, self.release_at) else { return Vec::new() };
        let bucket = TokenBucket::new(rate);
        let period = i64::try_from(bucket.step_millis()).unwrap_or(i64::MAX);
        let (now, first) = (now.as_millis(), first.as_millis());
        // A window that closes before the next step: the due entry has the time at which it opens again.
        if first > now.saturating_add(period) {
            return Vec::new();
        }
        let from = match sent.map(Timestamp::as_millis) {
            Some(until) if until >= first.max(now.saturating_add(ENOUGH_MILLIS)) => return Vec::new(),
            Some(until) if until > now => first.max(until.saturating_add(period)),
            _ => first,
        };
        // One more than are needed if none is late.
        let needed = i64::try_from(left.div_ceil(bucket.step_things())).unwrap_or(i64::MAX);
        let last = first.saturating_add(period.saturating_mul(needed)).min(now.saturating_add(AHEAD_MILLIS)).max(first);
        let steps = (0..).map(|n: i64| from.saturating_add(n.saturating_mul(period)));
        steps.take_while(|at| *at <= last).map(Timestamp::from_millis).collect()
    }
}
