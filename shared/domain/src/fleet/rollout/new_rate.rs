//! `NewRate`: the rate that an operator gives a rollout that was created before.

use crate::fleet::rollout::config::Rollout;
use crate::fleet::rollout::error::RolloutError;
use crate::fleet::rollout::options::RolloutOptions;
use crate::fleet::rollout::rate::{ExponentialRate, Increase};

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
    pub fn change_rate(&self, rate: &NewRate) -> Option<Self> {
        let NewRate(Self { maximum_per_minute, exponential, .. }) = rate.clone();
        if (maximum_per_minute, &exponential) == (self.maximum_per_minute, &self.exponential) {
            return None;
        }
        let rate_changes = self.rate_changes.saturating_add(1);
        Some(Self { maximum_per_minute, exponential, rate_changes, ..self.clone() })
    }

    /// How many times the rate was changed. A change is written on condition that it is one less in the table.
    pub const fn rate_changes(&self) -> u32 {
        self.rate_changes
    }

    /// The rollout with the number of changes as it was stored.
    #[must_use]
    pub fn with_rate_changes(self, rate_changes: u32) -> Self {
        Self { rate_changes, ..self }
    }

    /// How the rate of `next` differs from this one, as text for the operator.
    pub fn rate_difference(&self, next: &Self) -> String {
        let shown = |field: &str, before: String, after: String| {
            (before != after).then(|| format!("rollout.{field}: {before} to {after}"))
        };
        let maximum = |rollout: &Self| rollout.maximum_per_minute.map_or_else(none, |maximum| maximum.to_string());
        let exponential = |rollout: &Self| rollout.exponential.as_ref().map_or_else(none, ExponentialRate::summary);
        let maximum = shown("maximumPerMinute", maximum(self), maximum(next));
        let exponential = shown("exponentialRate", exponential(self), exponential(next));
        maximum.into_iter().chain(exponential).collect::<Vec<_>>().join("; ")
    }
}

impl ExponentialRate {
    fn summary(&self) -> String {
        let (base, factor) = (self.base_rate_per_minute(), self.increment_factor());
        let (things, what) = match self.increase() {
            Increase::NotifiedThings(things) => (things, "notified"),
            Increase::SucceededThings(things) => (things, "succeeded"),
        };
        format!("{base} times {factor} after each {things} {what}")
    }
}

fn none() -> String {
    "none".to_owned()
}
