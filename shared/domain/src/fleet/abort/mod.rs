//! When a fleet command is given up: too many of its things failed.

mod error;
#[cfg(test)]
mod tests;
mod words;

pub use error::AbortError;
pub use words::{AbortAction, AbortFailure};

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Ends, StoredError};

/// When a fleet command is given up. The default is never.
///
/// AWS IoT Jobs' `abortConfig`, and two things more: silence can be counted, and the command can be paused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Abort {
    criteria: Vec<Criterion>,
}

/// So many percent of those that have ended, once so many have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Criterion {
    failure: AbortFailure,
    action: AbortAction,
    threshold_hundredths: u16,
    min_number_of_executed_things: u32,
}

/// What a caller says of one criterion, under AWS Jobs' names. It is also the stored form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AskedCriterion {
    /// FAILED, REJECTED, TIMED_OUT, NO_RESPONSE or ALL.
    pub failure_type: String,
    /// CANCEL or PAUSE.
    pub action: String,
    /// Of those that have ended: more than 0, at most 100, two digits after the point.
    pub threshold_percentage: f64,
    /// How many have to have ended before anything is concluded: at least 1.
    pub min_number_of_executed_things: i64,
}

impl Abort {
    /// There are only ten pairs of a failure and an action.
    pub const MOST_CRITERIA: usize = 10;

    /// The criteria as asked for.
    pub fn new(asked: &[AskedCriterion]) -> Result<Self, AbortError> {
        if !(1..=Self::MOST_CRITERIA).contains(&asked.len()) {
            return Err(AbortError::HowMany(asked.len()));
        }
        let criteria = asked.iter().enumerate().map(|(at, asked)| Criterion::new(at, asked));
        Ok(Self { criteria: criteria.collect::<Result<_, _>>()? })
    }

    /// The criteria, in the order in which they were given.
    pub fn criteria(&self) -> &[Criterion] {
        &self.criteria
    }

    /// What would have to be asked for to get these: what is shown of them, with AWS Jobs' names.
    pub fn asked(&self) -> Vec<AskedCriterion> {
        self.criteria.iter().map(Criterion::asked).collect()
    }

    /// The criterion that is met, if one is: the first that cancels, else the first that pauses.
    pub fn tripped(&self, ends: &Ends) -> Option<&Criterion> {
        let met = |action| self.criteria.iter().find(move |one| one.action == action && one.is_met(ends));
        met(AbortAction::Cancel).or_else(|| met(AbortAction::Pause))
    }

    /// The same after somebody resumed a command that had been paused: only what has ended since counts, else it would pause
    /// again for what made it pause.
    pub fn tripped_since(&self, resumed: &Ends, ends: &Ends) -> Option<&Criterion> {
        self.tripped(&Ends {
            executed: ends.executed.saturating_sub(resumed.executed),
            succeeded: ends.succeeded.saturating_sub(resumed.succeeded),
            failed: ends.failed.saturating_sub(resumed.failed),
            rejected: ends.rejected.saturating_sub(resumed.rejected),
            timed_out: ends.timed_out.saturating_sub(resumed.timed_out),
            canceled: ends.canceled.saturating_sub(resumed.canceled),
            no_response: ends.no_response.saturating_sub(resumed.no_response),
        })
    }

    /// As it is stored: JSON of what was asked for.
    pub fn to_stored(&self) -> String {
        super::stored::json(&self.asked())
    }

    /// As it was stored.
    pub fn from_stored(text: &str) -> Result<Self, StoredError> {
        let asked: Vec<AskedCriterion> = serde_json::from_str(text).map_err(StoredError::of("abort"))?;
        match asked.is_empty() {
            true => Ok(Self::default()),
            false => Self::new(&asked).map_err(StoredError::of("abort")),
        }
    }
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
    fn new(at: usize, asked: &AskedCriterion) -> Result<Self, AbortError> {
        let beginning = |text: &str| text.chars().take(32).collect::<String>();
        let failure = AbortFailure::parse(&asked.failure_type)
            .ok_or_else(|| AbortError::Failure { at, found: beginning(&asked.failure_type) })?;
        let action = AbortAction::parse(&asked.action)
            .ok_or_else(|| AbortError::Action { at, found: beginning(&asked.action) })?;
        let threshold = hundredths(asked.threshold_percentage)
            .ok_or(AbortError::Threshold { at, found: asked.threshold_percentage })?;
        let found = asked.min_number_of_executed_things;
        let minimum = u32::try_from(found).ok().filter(|minimum| *minimum > 0);
        let minimum = minimum.ok_or(AbortError::Minimum { at, found })?;
        Ok(Self { failure, action, threshold_hundredths: threshold, min_number_of_executed_things: minimum })
    }

    /// What counts as a failure.
    pub const fn failure(&self) -> AbortFailure {
        self.failure
    }

    /// What is done when there are too many.
    pub const fn action(&self) -> AbortAction {
        self.action
    }

    /// How many percent are too many, in hundredths: 1 to 10,000.
    pub const fn threshold_hundredths(&self) -> u16 {
        self.threshold_hundredths
    }

    /// How many have to have ended before anything is concluded.
    pub const fn min_number_of_executed_things(&self) -> u32 {
        self.min_number_of_executed_things
    }

    fn asked(&self) -> AskedCriterion {
        AskedCriterion {
            failure_type: self.failure.as_str().to_owned(),
            action: self.action.as_str().to_owned(),
            threshold_percentage: f64::from(self.threshold_hundredths) / 100.0,
            min_number_of_executed_things: self.min_number_of_executed_things.into(),
        }
    }

    fn is_met(&self, ends: &Ends) -> bool {
        let failing = self.failure.count(ends) * 10_000;
        let threshold = u128::from(self.threshold_hundredths) * u128::from(ends.executed);
        ends.executed >= u64::from(self.min_number_of_executed_things) && failing >= threshold
    }
}

/// A percentage in hundredths, if it is one and no more exact than that.
fn hundredths(percentage: f64) -> Option<u16> {
    let hundredths = percentage * 100.0;
    let whole = hundredths.round();
    let is = (1.0..=10_000.0).contains(&whole) && (hundredths - whole).abs() < 1e-6;
    // Nothing is cut off: it is whole, and in range.
    is.then_some(whole as u16)
}
