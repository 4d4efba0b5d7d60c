//! `RolloutError`: rollout options that are refused, with the name of the field and the allowed values.

/// Rollout options that are refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RolloutError {
    /// A number outside its range.
    #[error("{field} must be {least} to {most}: it is {found}")]
    OutOfRange {
        /// Path of the field.
        field: &'static str,
        /// The smallest allowed value.
        least: u32,
        /// The largest allowed value.
        most: u32,
        /// The given value.
        found: i64,
    },
    /// A factor outside AWS IoT Jobs' range, or with more digits.
    #[error(
        "rollout.exponentialRate.incrementFactor must be 1.1 to 5, with at most one digit after the point: it is {0}"
    )]
    Factor(f64),
    /// No criterion for increases of the rate, or two.
    #[error(
        "rollout.exponentialRate.rateIncreaseCriteria must have either numberOfNotifiedThings or \
         numberOfSucceededThings, and not both"
    )]
    NotOneCriterion,
    /// The rate starts above its own limit.
    #[error(
        "rollout.exponentialRate.baseRatePerMinute must not be more than rollout.maximumPerMinute: {base} is more \
         than {maximum}"
    )]
    BaseBeyondMaximum {
        /// The first rate, in things per minute.
        base: u32,
        /// The limit, in things per minute.
        maximum: u32,
    },
    /// A stage in a change of the rate.
    #[error("{0} can't be changed once a command is created: leave it out")]
    Unchangeable(&'static str),
    /// A change of the rate without a rate.
    #[error("rollout must have maximumPerMinute or exponentialRate: the most is 1000000 per minute")]
    NoRate,
    /// An empty list of waves.
    #[error("rollout.waves.percentages must have at least one percentage, such as 10")]
    NoWave,
    /// A wave without things.
    #[error(
        "rollout.waves.percentages must ascend, since each counts from the beginning: {found} comes after {before}"
    )]
    NotAscending {
        /// The preceding percentage.
        before: u8,
        /// The percentage that is not larger.
        found: u8,
    },
}

impl RolloutError {
    /// Path of the refused field.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::OutOfRange { field, .. } | Self::Unchangeable(field) => field,
            Self::Factor(_) => "rollout.exponentialRate.incrementFactor",
            Self::NotOneCriterion => "rollout.exponentialRate.rateIncreaseCriteria",
            Self::BaseBeyondMaximum { .. } => "rollout.exponentialRate.baseRatePerMinute",
            Self::NoRate => "rollout",
            Self::NoWave | Self::NotAscending { .. } => "rollout.waves.percentages",
        }
    }
}
