//! How many things a minute, and how that grows.

use super::Rollout;

/// A rate that is multiplied each time so many things have been asked, or have succeeded: AWS Jobs' `exponentialRate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExponentialRate {
    base: u32,
    tenths: u8,
    increase: Increase,
}

/// When a rate increases: AWS Jobs' `rateIncreaseCriteria`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Increase {
    /// Each time this many have been asked.
    NotifiedThings(u32),
    /// Each time this many have succeeded.
    SucceededThings(u32),
}

impl ExponentialRate {
    pub(super) const fn new(base: u32, tenths: u8, increase: Increase) -> Self {
        Self { base, tenths, increase }
    }

    /// Things a minute in the beginning.
    pub const fn base_rate_per_minute(&self) -> u32 {
        self.base
    }

    /// What the rate is multiplied with.
    pub fn increment_factor(&self) -> f64 {
        f64::from(self.tenths) / 10.0
    }

    /// When.
    pub const fn increase(&self) -> Increase {
        self.increase
    }

    /// The rate after so many increases, in whole things a minute, and not above the limit. Fractions are carried on: 1 a minute
    /// times 1.1 is 1, and after eight increases it is 2.
    fn after(&self, increases: u64, limit: u32) -> u32 {
        const ONE: u128 = 1_000_000_000_000;
        let limit = u128::from(limit) * ONE;
        let mut rate = u128::from(self.base) * ONE;
        let mut left = increases;
        // The factor is at least 1.1: the limit is reached after 145 of them.
        while left > 0 && rate < limit {
            rate = rate * u128::from(self.tenths) / 10;
            left -= 1;
        }
        u32::try_from(rate.min(limit) / ONE).unwrap_or(u32::MAX)
    }
}

impl Increase {
    /// How many things make one increase.
    pub(super) fn things(self) -> u64 {
        let (Self::NotifiedThings(n) | Self::SucceededThings(n)) = self;
        u64::from(n).max(1)
    }
}

impl Rollout {
    /// How many things a minute may be asked when so many have been, and so many have succeeded; none: no limit. At least 1.
    pub fn rate(&self, notified: u64, succeeded: u64) -> Option<u32> {
        let Some(rate) = &self.exponential else { return self.maximum_per_minute };
        let reached = match rate.increase {
            Increase::NotifiedThings(_) => notified,
            Increase::SucceededThings(_) => succeeded,
        };
        let limit = self.maximum_per_minute.unwrap_or(Self::FASTEST);
        Some(rate.after(reached / rate.increase.things(), limit))
    }
}
