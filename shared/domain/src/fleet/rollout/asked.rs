//! What a caller says of a rollout: plain numbers under AWS Jobs' names, not yet looked at. It is also the stored form.

use serde::{Deserialize, Serialize};

use super::{Canary, ExponentialRate, Increase, Rollout, RolloutError, Waves};

/// What a caller says of a rollout. What is not said does not slow it down.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AskedRollout {
    /// The most things a minute: 1 to 1,000,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_per_minute: Option<i64>,
    /// A rate that grows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exponential_rate: Option<AskedRate>,
    /// Who is asked first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary: Option<AskedCanary>,
    /// In which parts it goes out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waves: Option<AskedWaves>,
}

/// AWS Jobs' `exponentialRate`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AskedRate {
    /// Things a minute in the beginning: 1 to 1,000,000, and not more than the maximum.
    pub base_rate_per_minute: i64,
    /// What the rate is multiplied with at each increase: 1.1 to 5, one digit after the point.
    pub increment_factor: f64,
    /// When it increases.
    pub rate_increase_criteria: AskedIncrease,
}

/// AWS Jobs' `rateIncreaseCriteria`: exactly one of the two, 1 to 4,294,967,295.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AskedIncrease {
    /// Each time this many have been asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number_of_notified_things: Option<i64>,
    /// Each time this many have succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number_of_succeeded_things: Option<i64>,
}

/// Who is asked before all others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AskedCanary {
    /// How many: 1 to 1,000,000.
    pub things: i64,
    /// How many percent of them have to succeed: 1 to 100, by default 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_percentage: Option<i64>,
}

/// The parts in which a fleet is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AskedWaves {
    /// Where each wave ends, in percent of all things: 1 to 100, ascending. A last wave up to 100 is added where it is missing.
    pub percentages: Vec<i64>,
    /// How many percent of those asked so far have to succeed before the next wave: 1 to 100, by default 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_percentage: Option<i64>,
}

impl AskedRollout {
    pub(super) fn of(rollout: &Rollout) -> Self {
        Self {
            maximum_per_minute: rollout.maximum_per_minute.map(i64::from),
            exponential_rate: rollout.exponential.as_ref().map(|rate| AskedRate {
                base_rate_per_minute: rate.base_rate_per_minute().into(),
                increment_factor: rate.increment_factor(),
                rate_increase_criteria: match rate.increase() {
                    Increase::NotifiedThings(n) => {
                        AskedIncrease { number_of_notified_things: Some(n.into()), ..AskedIncrease::default() }
                    }
                    Increase::SucceededThings(n) => {
                        AskedIncrease { number_of_succeeded_things: Some(n.into()), ..AskedIncrease::default() }
                    }
                },
            }),
            canary: rollout.canary.as_ref().map(|canary| AskedCanary {
                things: canary.things().into(),
                success_percentage: Some(canary.success_percentage().into()),
            }),
            waves: rollout.waves.as_ref().map(|waves| AskedWaves {
                percentages: waves.percentages().iter().copied().map(i64::from).collect(),
                success_percentage: Some(waves.success_percentage().into()),
            }),
        }
    }

    pub(super) fn check(&self) -> Result<Rollout, RolloutError> {
        let maximum = self.maximum_per_minute;
        let maximum = maximum.map(|found| within("rollout.maximumPerMinute", found, Rollout::FASTEST)).transpose()?;
        let exponential = self.exponential_rate.as_ref().map(AskedRate::check).transpose()?;
        if let (Some(maximum), Some(rate)) = (maximum, &exponential)
            && rate.base_rate_per_minute() > maximum
        {
            return Err(RolloutError::BaseBeyondMaximum { base: rate.base_rate_per_minute(), maximum });
        }
        let canary = self.canary.as_ref().map(AskedCanary::check).transpose()?;
        let waves = self.waves.as_ref().map(AskedWaves::check).transpose()?;
        Ok(Rollout { maximum_per_minute: maximum, exponential, canary, waves })
    }
}

impl AskedRate {
    fn check(&self) -> Result<ExponentialRate, RolloutError> {
        let base = "rollout.exponentialRate.baseRatePerMinute";
        let base = within(base, self.base_rate_per_minute, Rollout::FASTEST)?;
        let tenths = (11..=50u8).find(|tenths| (self.increment_factor * 10.0 - f64::from(*tenths)).abs() < 1e-6);
        let tenths = tenths.ok_or(RolloutError::Factor(self.increment_factor))?;
        Ok(ExponentialRate::new(base, tenths, self.rate_increase_criteria.check()?))
    }
}

impl AskedIncrease {
    fn check(&self) -> Result<Increase, RolloutError> {
        let notified = "rollout.exponentialRate.rateIncreaseCriteria.numberOfNotifiedThings";
        let succeeded = "rollout.exponentialRate.rateIncreaseCriteria.numberOfSucceededThings";
        match (self.number_of_notified_things, self.number_of_succeeded_things) {
            (Some(n), None) => within(notified, n, u32::MAX).map(Increase::NotifiedThings),
            (None, Some(n)) => within(succeeded, n, u32::MAX).map(Increase::SucceededThings),
            (None, None) | (Some(_), Some(_)) => Err(RolloutError::NotOneCriterion),
        }
    }
}

impl AskedCanary {
    fn check(&self) -> Result<Canary, RolloutError> {
        let things = within("rollout.canary.things", self.things, Rollout::FASTEST)?;
        let success = percentage("rollout.canary.successPercentage", self.success_percentage.unwrap_or(100))?;
        Ok(Canary::new(things, success))
    }
}

impl AskedWaves {
    fn check(&self) -> Result<Waves, RolloutError> {
        let success = percentage("rollout.waves.successPercentage", self.success_percentage.unwrap_or(100))?;
        let mut percentages: Vec<u8> = Vec::new();
        for found in &self.percentages {
            let found = percentage("rollout.waves.percentages", *found)?;
            match percentages.last() {
                Some(&before) if before >= found => return Err(RolloutError::NotAscending { before, found }),
                _ => percentages.push(found),
            }
        }
        match percentages.last() {
            None => return Err(RolloutError::NoWave),
            Some(100) => {}
            Some(_) => percentages.push(100),
        }
        Ok(Waves::new(percentages, success))
    }
}

fn within(field: &'static str, found: i64, most: u32) -> Result<u32, RolloutError> {
    match u32::try_from(found) {
        Ok(number) if (1..=most).contains(&number) => Ok(number),
        _ => Err(RolloutError::OutOfRange { field, least: 1, most, found }),
    }
}

fn percentage(field: &'static str, found: i64) -> Result<u8, RolloutError> {
    within(field, found, 100).map(|number| u8::try_from(number).unwrap_or(100))
}
