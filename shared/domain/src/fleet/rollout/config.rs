//! `Rollout`: the checked settings of a rollout: rate, canary and waves.

use crate::fleet::rollout::rate::{ExponentialRate, Increase};
use crate::fleet::rollout::stages::{Canary, Waves};

/// At which rate and in which stages the things of a fleet are released. The default releases all at once.
///
/// The rate has the names and the meaning of AWS IoT Jobs' `jobExecutionsRolloutConfig`, without its limit of 1000 per
/// minute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rollout {
    pub(super) maximum_per_minute: Option<u32>,
    pub(super) exponential: Option<ExponentialRate>,
    pub(super) canary: Option<Canary>,
    pub(super) waves: Option<Waves>,
    pub(super) rate_changes: u32,
}

impl Rollout {
    /// The largest rate, in things per minute. A rollout without a rate is faster.
    pub const MAX_PER_MINUTE: u32 = 1_000_000;

    /// The limit of the rate, in things per minute.
    pub const fn maximum_per_minute(&self) -> Option<u32> {
        self.maximum_per_minute
    }

    /// How the rate grows; none if it is constant.
    pub const fn exponential(&self) -> Option<&ExponentialRate> {
        self.exponential.as_ref()
    }

    /// The things that are released first.
    pub const fn canary(&self) -> Option<&Canary> {
        self.canary.as_ref()
    }

    /// The stages after the canary.
    pub const fn waves(&self) -> Option<&Waves> {
        self.waves.as_ref()
    }

    /// Whether no thing ever waits: no rate, no canary, no waves.
    pub const fn is_immediate(&self) -> bool {
        self.maximum_per_minute.is_none() && self.exponential.is_none() && self.canary.is_none() && self.waves.is_none()
    }

    /// Things per minute, at least 1, after `notified` things were released and `succeeded` succeeded; none if the rate
    /// is not limited.
    pub fn rate(&self, notified: u64, succeeded: u64) -> Option<u32> {
        let Some(rate) = &self.exponential else { return self.maximum_per_minute };
        let reached = match rate.increase() {
            Increase::NotifiedThings(_) => notified,
            Increase::SucceededThings(_) => succeeded,
        };
        let limit = self.maximum_per_minute.unwrap_or(Self::MAX_PER_MINUTE);
        Some(rate.after(reached / rate.increase().things(), limit))
    }
}
