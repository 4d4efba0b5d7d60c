//! `NewRate`: the rate that an operator gives a rollout that was created before.

use crate::actor::Actor;
use crate::fleet::rollout::config::Rollout;
use crate::fleet::rollout::error::RolloutError;
use crate::fleet::rollout::options::RolloutOptions;
use crate::fleet::rollout::rate_change::RateChange;
use crate::timestamp::Timestamp;

/// A rate without the stages of a rollout: `maximumPerMinute`, `exponentialRate`, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRate(Rollout);

impl NewRate {
    /// The rate with these options.
    ///
    /// # Errors
    /// As for [`Rollout::new`]; and if there is a stage, or no rate.
    pub fn new(options: &RolloutOptions) -> Result<Self, RolloutError> {
        let stages = [("rollout.canary", options.canary.is_some()), ("rollout.waves", options.waves.is_some())];
        if let Some((field, _)) = stages.into_iter().find(|(_, is_given)| *is_given) {
            return Err(RolloutError::Unchangeable(field));
        }
        let rate = Rollout::new(options)?;
        if rate.is_immediate() { Err(RolloutError::NoRate) } else { Ok(Self(rate)) }
    }
}

impl Rollout {
    /// The rollout after a change of its rate, which replaces all of the former rate; none if it has this rate already.
    pub fn change_rate(&self, rate: &NewRate, at: Timestamp, by: Actor) -> Option<Self> {
        let NewRate(Self { maximum_per_minute, exponential, .. }) = rate.clone();
        if (maximum_per_minute, &exponential) == (self.maximum_per_minute, &self.exponential) {
            return None;
        }
        let number = self.rate_change.as_ref().map_or(0, |change| change.number).saturating_add(1);
        let rate_change = Some(RateChange { number, at, by });
        Some(Self { maximum_per_minute, exponential, rate_change, ..self.clone() })
    }

    /// The last change of the rate; none if the rate is that of the creation.
    pub const fn rate_change(&self) -> Option<&RateChange> {
        self.rate_change.as_ref()
    }

    /// The rollout with the last change of its rate as it was stored.
    #[must_use]
    pub fn with_rate_change(self, rate_change: Option<RateChange>) -> Self {
        Self { rate_change, ..self }
    }
}
