//! `CriterionOptions`: an abort criterion as callers write it and as the table stores it, under AWS IoT Jobs' names.

use serde::{Deserialize, Serialize};

/// The largest number of criteria: there are ten pairs of a failure type and an action.
pub(super) const MAX_CRITERIA: usize = 10;

/// An abort criterion as written by a caller, unchecked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CriterionOptions {
    /// FAILED, REJECTED, TIMED_OUT, NO_RESPONSE or ALL.
    pub failure_type: String,
    /// CANCEL or PAUSE.
    pub action: String,
    /// The percentage of ended executions: more than 0, at most 100, two digits after the point.
    pub threshold_percentage: f64,
    /// How many executions must have ended before the criterion applies: at least 1.
    pub min_number_of_executed_things: i64,
}
