//! Abort criteria that can't be, with the name of the field and what would be right.

use super::Abort;

/// Criteria that can't be. The number of a criterion counts from 0, as in JSON.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AbortError {
    /// None, or too many.
    #[error("abortConfig.criteriaList must have 1 to {most} criteria: it has {0}", most = Abort::MOST_CRITERIA)]
    HowMany(usize),
    /// Nothing that happens to an execution.
    #[error(
        "abortConfig.criteriaList[{at}].failureType must be FAILED, REJECTED, TIMED_OUT, NO_RESPONSE or ALL: it is {found:?}"
    )]
    Failure {
        /// In which criterion.
        at: usize,
        /// Its beginning.
        found: String,
    },
    /// Nothing that can be done.
    #[error("abortConfig.criteriaList[{at}].action must be CANCEL or PAUSE: it is {found:?}")]
    Action {
        /// In which criterion.
        at: usize,
        /// Its beginning.
        found: String,
    },
    /// Not a share.
    #[error(
        "abortConfig.criteriaList[{at}].thresholdPercentage must be more than 0 and at most 100, with at most two digits \
         after the point: it is {found}"
    )]
    Threshold {
        /// In which criterion.
        at: usize,
        /// What it is.
        found: f64,
    },
    /// It would conclude from nothing.
    #[error("abortConfig.criteriaList[{at}].minNumberOfExecutedThings must be 1 to {most}: it is {found}", most = u32::MAX)]
    Minimum {
        /// In which criterion.
        at: usize,
        /// What it is.
        found: i64,
    },
}

impl AbortError {
    /// The field that is wrong.
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
