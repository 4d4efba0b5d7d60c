//! Checks rollout options and converts them to `Rollout` and back. JSON of the options is the stored form of a rollout.

use crate::fleet::rollout::config::Rollout;
use crate::fleet::rollout::error::RolloutError;
use crate::fleet::rollout::options::{CanaryOptions, IncreaseOptions, RateOptions, RolloutOptions, WavesOptions};
use crate::fleet::rollout::rate::{ExponentialRate, Increase};
use crate::fleet::rollout::stages::{Canary, Waves};
use crate::fleet::stored::{StoredError, json};

impl Rollout {
    /// The rollout with these options.
    ///
    /// # Errors
    /// A number is out of range, the waves do not ascend, or the rate starts above its limit or has not one criterion.
    pub fn new(options: &RolloutOptions) -> Result<Self, RolloutError> {
        let maximum = options.maximum_per_minute;
        let maximum =
            maximum.map(|found| in_range("rollout.maximumPerMinute", found, Self::MAX_PER_MINUTE)).transpose()?;
        let exponential = options.exponential_rate.as_ref().map(check_rate).transpose()?;
        if let (Some(maximum), Some(rate)) = (maximum, &exponential)
            && rate.base_rate_per_minute() > maximum
        {
            return Err(RolloutError::BaseBeyondMaximum { base: rate.base_rate_per_minute(), maximum });
        }
        let canary = options.canary.as_ref().map(check_canary).transpose()?;
        let waves = options.waves.as_ref().map(check_waves).transpose()?;
        Ok(Self { maximum_per_minute: maximum, exponential, canary, waves, rate_changes: 0 })
    }

    /// The options that give this rollout, defaults included.
    pub fn options(&self) -> RolloutOptions {
        RolloutOptions {
            maximum_per_minute: self.maximum_per_minute.map(i64::from),
            exponential_rate: self.exponential.as_ref().map(|rate| RateOptions {
                base_rate_per_minute: rate.base_rate_per_minute().into(),
                increment_factor: rate.increment_factor(),
                rate_increase_criteria: match rate.increase() {
                    Increase::NotifiedThings(n) => {
                        IncreaseOptions { number_of_notified_things: Some(n.into()), ..IncreaseOptions::default() }
                    }
                    Increase::SucceededThings(n) => {
                        IncreaseOptions { number_of_succeeded_things: Some(n.into()), ..IncreaseOptions::default() }
                    }
                },
            }),
            canary: self.canary.as_ref().map(|canary| CanaryOptions {
                things: canary.things().into(),
                success_percentage: Some(canary.success_percentage().into()),
            }),
            waves: self.waves.as_ref().map(|waves| WavesOptions {
                percentages: waves.percentages().iter().copied().map(i64::from).collect(),
                success_percentage: Some(waves.success_percentage().into()),
            }),
        }
    }

    /// The stored form: JSON of the options.
    pub fn to_stored(&self) -> String {
        json(&self.options())
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// The text is not JSON of valid options.
    pub fn from_stored(text: &str) -> Result<Self, StoredError> {
        let options: RolloutOptions = serde_json::from_str(text).map_err(StoredError::of("rollout"))?;
        Self::new(&options).map_err(StoredError::of("rollout"))
    }
}

fn check_rate(options: &RateOptions) -> Result<ExponentialRate, RolloutError> {
    let base = "rollout.exponentialRate.baseRatePerMinute";
    let base = in_range(base, options.base_rate_per_minute, Rollout::MAX_PER_MINUTE)?;
    let factor = options.increment_factor;
    let tenths = (11..=50u8).find(|tenths| (factor * 10.0 - f64::from(*tenths)).abs() < 1e-6);
    let tenths = tenths.ok_or(RolloutError::Factor(factor))?;
    Ok(ExponentialRate::new(base, tenths, check_increase(&options.rate_increase_criteria)?))
}

fn check_increase(options: &IncreaseOptions) -> Result<Increase, RolloutError> {
    let notified = "rollout.exponentialRate.rateIncreaseCriteria.numberOfNotifiedThings";
    let succeeded = "rollout.exponentialRate.rateIncreaseCriteria.numberOfSucceededThings";
    match (options.number_of_notified_things, options.number_of_succeeded_things) {
        (Some(n), None) => in_range(notified, n, u32::MAX).map(Increase::NotifiedThings),
        (None, Some(n)) => in_range(succeeded, n, u32::MAX).map(Increase::SucceededThings),
        (None, None) | (Some(_), Some(_)) => Err(RolloutError::NotOneCriterion),
    }
}

fn check_canary(options: &CanaryOptions) -> Result<Canary, RolloutError> {
    let things = in_range("rollout.canary.things", options.things, Rollout::MAX_PER_MINUTE)?;
    let success = percentage("rollout.canary.successPercentage", options.success_percentage.unwrap_or(100))?;
    Ok(Canary::new(things, success))
}

fn check_waves(options: &WavesOptions) -> Result<Waves, RolloutError> {
    let success = percentage("rollout.waves.successPercentage", options.success_percentage.unwrap_or(100))?;
    let mut percentages: Vec<u8> = Vec::new();
    for found in &options.percentages {
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

fn in_range(field: &'static str, found: i64, most: u32) -> Result<u32, RolloutError> {
    match u32::try_from(found) {
        Ok(number) if (1..=most).contains(&number) => Ok(number),
        _ => Err(RolloutError::OutOfRange { field, least: 1, most, found }),
    }
}

fn percentage(field: &'static str, found: i64) -> Result<u8, RolloutError> {
    in_range(field, found, 100).map(|number| u8::try_from(number).unwrap_or(100))
}
