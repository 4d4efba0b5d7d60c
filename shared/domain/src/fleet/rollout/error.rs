//! A rollout that can't be, with the name of the field and what would be right.

/// A rollout that can't be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RolloutError {
    /// Zero, negative or enormous.
    #[error("{field} must be {least} to {most}: it is {found}")]
    OutOfRange {
        /// Which.
        field: &'static str,
        /// At least.
        least: u32,
        /// At most.
        most: u32,
        /// What it is.
        found: i64,
    },
    /// A rate that would not grow, that would explode, or that is more exact than AWS Jobs takes it.
    #[error(
        "rollout.exponentialRate.incrementFactor must be 1.1 to 5, with at most one digit after the point: it is {0}"
    )]
    Factor(f64),
    /// None of the two, or both.
    #[error(
        "rollout.exponentialRate.rateIncreaseCriteria must have either numberOfNotifiedThings or \
         numberOfSucceededThings, and not both"
    )]
    NotOneCriterion,
    /// It would begin above its own limit.
    #[error(
        "rollout.exponentialRate.baseRatePerMinute must not be more than rollout.maximumPerMinute: {base} is more \
         than {maximum}"
    )]
    BaseBeyondMaximum {
        /// Where it would begin.
        base: u32,
        /// The limit.
        maximum: u32,
    },
    /// Nobody would be in a wave.
    #[error("rollout.waves.percentages must have at least one percentage, such as 10")]
    NoWave,
    /// Nobody would be in this wave.
    #[error(
        "rollout.waves.percentages must ascend, since each counts from the beginning: {found} comes after {before}"
    )]
    NotAscending {
        /// The one before.
        before: u8,
        /// And the one that is not more.
        found: u8,
    },
}

impl RolloutError {
    /// The field that is wrong.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::OutOfRange { field, .. } => field,
            Self::Factor(_) => "rollout.exponentialRate.incrementFactor",
            Self::NotOneCriterion => "rollout.exponentialRate.rateIncreaseCriteria",
            Self::BaseBeyondMaximum { .. } => "rollout.exponentialRate.baseRatePerMinute",
            Self::NoWave | Self::NotAscending { .. } => "rollout.waves.percentages",
        }
    }
}
