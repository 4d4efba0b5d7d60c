//! `AbortError`: abort criteria that are refused, with the name of the field and the allowed values.

use crate::fleet::abort::options::MAX_CRITERIA;

/// Criteria that are refused. `at` is the place of the criterion in the list, from 0.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AbortError {
    /// No criterion, or too many.
    #[error("abortConfig.criteriaList must have 1 to {MAX_CRITERIA} criteria: it has {0}")]
    HowMany(usize),
    /// An unknown failure type.
    #[error(
        "abortConfig.criteriaList[{at}].failureType must be FAILED, REJECTED, TIMED_OUT, NO_RESPONSE or ALL: it is {found:?}"
    )]
    Failure {
        /// Place of the criterion.
        at: usize,
        /// The beginning of the given word.
        found: String,
    },
    /// An unknown action.
    #[error("abortConfig.criteriaList[{at}].action must be CANCEL or PAUSE: it is {found:?}")]
    Action {
        /// Place of the criterion.
        at: usize,
        /// The beginning of the given word.
        found: String,
    },
    /// A threshold out of range, or with too many digits.
    #[error(
        "abortConfig.criteriaList[{at}].thresholdPercentage must be more than 0 and at most 100, with at most two digits \
         after the point: it is {found}"
    )]
    Threshold {
        /// Place of the criterion.
        at: usize,
        /// The given percentage.
        found: f64,
    },
    /// A criterion that would be met before any execution has ended.
    #[error("abortConfig.criteriaList[{at}].minNumberOfExecutedThings must be 1 to {most}: it is {found}", most = u32::MAX)]
    Minimum {
        /// Place of the criterion.
        at: usize,
        /// The given number.
        found: i64,
    },
}

impl AbortError {
    /// Path of the refused field.
    pub fn field(&self) -> String {
        let (at, name) = match self {
            Self::HowMany(_) => return "abortConfig.criteriaList".to_owned(),
            Self::Failure { at, .. } => (at, "failureType"),
            Self::Action { at, .. } => (at, "action"),
            Self::Threshold { at, .. } => (at, "thresholdPercentage"),
            Self::Minimum { at, .. } => (at, "minNumberOfExecutedThings"),
        };
        format!("abortConfig.criteriaList[{at}].{name}")
    }
}
