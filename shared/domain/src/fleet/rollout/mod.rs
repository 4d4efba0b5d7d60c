//! How fast a fleet is asked, and who of it comes first.

mod asked;
mod error;
mod estimate;
mod gate;
mod rate;
#[cfg(test)]
pub(super) mod tests;

pub use asked::{AskedCanary, AskedIncrease, AskedRate, AskedRollout, AskedWaves};
pub use error::RolloutError;
pub use estimate::{Assumption, Estimate};
pub use gate::{Canary, Gate, Waves};
pub use rate::{ExponentialRate, Increase};

use super::StoredError;

/// How a fleet is asked: how many things a minute, some of them before the others. The default is everything at once.
///
/// The rate has the names and the meaning of AWS IoT Jobs' `jobExecutionsRolloutConfig`, without its limit of 1000 a minute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rollout {
    maximum_per_minute: Option<u32>,
    exponential: Option<ExponentialRate>,
    canary: Option<Canary>,
    waves: Option<Waves>,
}

impl Rollout {
    /// No rate is faster, in things a minute. A rollout that should be as fast as can be has no rate.
    pub const FASTEST: u32 = 1_000_000;

    /// The rollout as asked for.
    pub fn new(asked: &AskedRollout) -> Result<Self, RolloutError> {
        asked.check()
    }

    /// What would have to be asked for to get this one: what is shown of it, with AWS Jobs' names.
    pub fn asked(&self) -> AskedRollout {
        AskedRollout::of(self)
    }

    /// The most things a minute, if there is a limit.
    pub const fn maximum_per_minute(&self) -> Option<u32> {
        self.maximum_per_minute
    }

    /// How the rate grows, if it does.
    pub const fn exponential(&self) -> Option<&ExponentialRate> {
        self.exponential.as_ref()
    }

    /// Those that are asked first, if any are.
    pub const fn canary(&self) -> Option<&Canary> {
        self.canary.as_ref()
    }

    /// In which parts it goes out after them, if in parts.
    pub const fn waves(&self) -> Option<&Waves> {
        self.waves.as_ref()
    }

    /// Whether nothing has to wait: no rate, no canary, no waves.
    pub const fn is_immediate(&self) -> bool {
        self.maximum_per_minute.is_none() && self.exponential.is_none() && self.canary.is_none() && self.waves.is_none()
    }

    /// As it is stored: JSON of what was asked for.
    pub fn to_stored(&self) -> String {
        super::stored::json(&self.asked())
    }

    /// As it was stored.
    pub fn from_stored(text: &str) -> Result<Self, StoredError> {
        let asked: AskedRollout = serde_json::from_str(text).map_err(StoredError::of("rollout"))?;
        Self::new(&asked).map_err(StoredError::of("rollout"))
    }
}
