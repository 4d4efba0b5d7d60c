//! Who goes first, and what has to have become of them before the others follow.

use std::fmt;

use super::Rollout;
use crate::fleet::pace::{Seen, Stop};

/// Those that are asked before all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Canary {
    things: u32,
    success_percentage: u8,
}

/// The parts in which a fleet is asked: the next one when all those before have ended, and enough of them well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waves {
    percentages: Vec<u8>,
    success_percentage: u8,
}

/// A place where a rollout waits until all that are out have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// After the canary.
    Canary,
    /// After the wave that ends at this percentage.
    Wave(u8),
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Canary => f.write_str("the canary"),
            Self::Wave(percentage) => write!(f, "the wave up to {percentage} %"),
        }
    }
}

/// How many may be out as far as the gates are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::fleet) struct Limit {
    pub things: u64,
    pub stop: Option<Stop>,
}

impl Canary {
    pub(super) const fn new(things: u32, success_percentage: u8) -> Self {
        Self { things, success_percentage }
    }

    /// How many.
    pub const fn things(&self) -> u32 {
        self.things
    }

    /// How many percent of them have to succeed: 1 to 100.
    pub const fn success_percentage(&self) -> u8 {
        self.success_percentage
    }
}

impl Waves {
    pub(super) const fn new(percentages: Vec<u8>, success_percentage: u8) -> Self {
        Self { percentages, success_percentage }
    }

    /// Where each wave ends, in percent of all things: ascending, the last one at 100.
    pub fn percentages(&self) -> &[u8] {
        &self.percentages
    }

    /// How many percent of those asked so far have to succeed before the next wave: 1 to 100.
    pub const fn success_percentage(&self) -> u8 {
        self.success_percentage
    }
}

impl Rollout {
    /// How many may be out, when so many are.
    pub(in crate::fleet) fn limit(&self, released: u64, seen: &Seen) -> Limit {
        let limit = |things| Limit { things, stop: None };
        for (gate, at, success) in self.gates(seen) {
            if released < at || seen.planned <= at {
                return limit(at.min(seen.planned));
            }
            if released > at {
                continue;
            }
            if seen.ends.executed.saturating_add(seen.duplicates) < released {
                return limit(released);
            }
            let of = released.saturating_sub(seen.duplicates);
            let succeeded = seen.ends.succeeded;
            let enough = u128::from(succeeded) * 100 >= u128::from(of) * u128::from(success);
            if !enough && released > seen.passed {
                let stop = Stop::TooFewSucceeded { gate, succeeded, of, success_percentage: success };
                return Limit { things: released, stop: Some(stop) };
            }
        }
        // A percentage of what is not yet known is not a number.
        let unknown = self.waves.is_some() && !seen.planned_all;
        limit(if unknown { released } else { seen.planned })
    }

    /// The gates in order: how many are out before each, and how many percent of them have to succeed. A wave that ends within
    /// the canary is behind everybody who has passed that.
    fn gates(&self, seen: &Seen) -> impl Iterator<Item = (Gate, u64, u8)> {
        let canary = self.canary.map(|canary| (Gate::Canary, u64::from(canary.things), canary.success_percentage));
        let planned = seen.planned;
        let waves = self.waves.iter().filter(|_| seen.planned_all).flat_map(move |waves| {
            let wave = move |&at: &u8| (Gate::Wave(at), share(planned, at), waves.success_percentage);
            waves.percentages.iter().map(wave)
        });
        canary.into_iter().chain(waves)
    }
}

/// So many percent of them, rounded up.
fn share(things: u64, percentage: u8) -> u64 {
    let share = (u128::from(things) * u128::from(percentage)).div_ceil(100);
    u64::try_from(share).unwrap_or(u64::MAX)
}
