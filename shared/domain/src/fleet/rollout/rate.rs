//! `ExponentialRate`: a rate in things per minute that grows with the number of notified or succeeded things.

/// A rate that is multiplied by a factor at each increase: AWS IoT Jobs' `exponentialRate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExponentialRate {
    base_per_minute: u32,
    factor_tenths: u8,
    increase: Increase,
}

/// When a rate increases: AWS IoT Jobs' `rateIncreaseCriteria`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Increase {
    /// Each time this many things have been released.
    NotifiedThings(u32),
    /// Each time this many things have succeeded.
    SucceededThings(u32),
}

impl ExponentialRate {
    pub(super) const fn new(base_per_minute: u32, factor_tenths: u8, increase: Increase) -> Self {
        Self { base_per_minute, factor_tenths, increase }
    }

    /// Things per minute before the first increase.
    pub const fn base_rate_per_minute(&self) -> u32 {
        self.base_per_minute
    }

    /// The factor of one increase: 1.1 to 5.
    pub fn increment_factor(&self) -> f64 {
        f64::from(self.factor_tenths) / 10.0
    }

    /// When the rate increases.
    pub const fn increase(&self) -> Increase {
        self.increase
    }

    /// The rate after this many increases, in whole things per minute, at most `limit`. Fractions are carried on: 1 per
    /// minute with a factor of 1.1 is 1 after seven increases, and 2 after eight.
    pub(super) fn after(&self, increases: u64, limit: u32) -> u32 {
        const ONE: u128 = 1_000_000_000_000;
        let limit = u128::from(limit) * ONE;
        let mut rate = u128::from(self.base_per_minute) * ONE;
        let mut left = increases;
        // The factor is at least 1.1: the largest limit is reached after 145 increases.
        while left > 0 && rate < limit {
            rate = rate * u128::from(self.factor_tenths) / 10;
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
