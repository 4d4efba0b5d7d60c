//! `Criterion`: one abort criterion: a failure type, a threshold and an action.

use std::fmt;

use crate::fleet::abort::error::AbortError;
use crate::fleet::abort::options::CriterionOptions;
use crate::fleet::abort::words::{AbortAction, AbortFailure};
use crate::fleet::outcome_counts::OutcomeCounts;

/// Met when a percentage of the ended executions failed, once enough have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Criterion {
    failure: AbortFailure,
    action: AbortAction,
    threshold_hundredths: u16,
    min_number_of_executed_things: u32,
}

impl fmt::Display for Criterion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.threshold_hundredths / 100, self.threshold_hundredths % 100);
        let (failure, action, least) =
            (self.failure.as_str(), self.action.as_str(), self.min_number_of_executed_things);
        write!(f, "{action} at {whole}.{rest:02} % {failure} of {least} things or more")
    }
}

impl Criterion {
    /// Checks the options of the criterion at this place of the list, from 0.
    pub(super) fn new(at: usize, options: &CriterionOptions) -> Result<Self, AbortError> {
        let beginning = |text: &str| text.chars().take(32).collect::<String>();
        let failure = AbortFailure::parse(&options.failure_type)
            .ok_or_else(|| AbortError::Failure { at, found: beginning(&options.failure_type) })?;
        let action = AbortAction::parse(&options.action)
            .ok_or_else(|| AbortError::Action { at, found: beginning(&options.action) })?;
        let threshold = hundredths(options.threshold_percentage)
            .ok_or(AbortError::Threshold { at, found: options.threshold_percentage })?;
        let found = options.min_number_of_executed_things;
        let minimum = u32::try_from(found).ok().filter(|minimum| *minimum > 0);
        let minimum = minimum.ok_or(AbortError::Minimum { at, found })?;
        Ok(Self { failure, action, threshold_hundredths: threshold, min_number_of_executed_things: minimum })
    }

    /// Which executions count as failures.
    pub const fn failure(&self) -> AbortFailure {
        self.failure
    }

    /// What happens when the criterion is met.
    pub const fn action(&self) -> AbortAction {
        self.action
    }

    /// The threshold in hundredths of a percent: 1 to 10,000.
    pub const fn threshold_hundredths(&self) -> u16 {
        self.threshold_hundredths
    }

    /// How many executions must have ended before the criterion applies.
    pub const fn min_number_of_executed_things(&self) -> u32 {
        self.min_number_of_executed_things
    }

    /// The options that give this criterion.
    pub(super) fn options(&self) -> CriterionOptions {
        CriterionOptions {
            failure_type: self.failure.as_str().to_owned(),
            action: self.action.as_str().to_owned(),
            threshold_percentage: f64::from(self.threshold_hundredths) / 100.0,
            min_number_of_executed_things: self.min_number_of_executed_things.into(),
        }
    }

    pub(super) fn is_met(&self, outcomes: &OutcomeCounts) -> bool {
        let failing = self.failure.count(outcomes) * 10_000;
        let threshold = u128::from(self.threshold_hundredths) * u128::from(outcomes.executed);
        outcomes.executed >= u64::from(self.min_number_of_executed_things) && failing >= threshold
    }
}

/// A percentage in hundredths; none if it is out of range or has more than two digits after the point.
fn hundredths(percentage: f64) -> Option<u16> {
    let hundredths = percentage * 100.0;
    let whole = hundredths.round();
    let is_exact = (1.0..=10_000.0).contains(&whole) && (hundredths - whole).abs() < 1e-6;
    // The cast loses nothing: the number is whole and in range.
    is_exact.then_some(whole as u16)
}
