//! `RolloutOptions`: a rollout as callers write it and as the table stores it, under AWS IoT Jobs' names and unchecked.

use serde::{Deserialize, Serialize};

/// A rollout as written by a caller. A field that is left out does not limit the rollout.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RolloutOptions {
    /// The limit of the rate, in things per minute: 1 to 1,000,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_per_minute: Option<i64>,
    /// A rate that grows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exponential_rate: Option<RateOptions>,
    /// The things that are released first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary: Option<CanaryOptions>,
    /// The stages after the canary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waves: Option<WavesOptions>,
}

/// AWS IoT Jobs' `exponentialRate`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RateOptions {
    /// Things per minute before the first increase: 1 to 1,000,000, and not more than the maximum.
    pub base_rate_per_minute: i64,
    /// The factor of one increase: 1.1 to 5, one digit after the point.
    pub increment_factor: f64,
    /// When the rate increases.
    pub rate_increase_criteria: IncreaseOptions,
}

/// AWS IoT Jobs' `rateIncreaseCriteria`: exactly one of the two, 1 to 4,294,967,295.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IncreaseOptions {
    /// Increase each time this many things have been released.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number_of_notified_things: Option<i64>,
    /// Increase each time this many things have succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number_of_succeeded_things: Option<i64>,
}

/// The things that are released before all others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CanaryOptions {
    /// How many things: 1 to 1,000,000.
    pub things: i64,
    /// The percentage of them that must succeed: 1 to 100, by default 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_percentage: Option<i64>,
}

/// The stages in which a fleet is released.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WavesOptions {
    /// The end of each wave, in percent of all things: 1 to 100, ascending. A last wave up to 100 is added if it is
    /// missing.
    pub percentages: Vec<i64>,
    /// The percentage of the things released so far that must succeed before the next wave: 1 to 100, by default 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_percentage: Option<i64>,
}
