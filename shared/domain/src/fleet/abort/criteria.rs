//! `Abort`: the abort criteria of a fleet command, and which of them is met.

use crate::fleet::abort::criterion::Criterion;
use crate::fleet::abort::error::AbortError;
use crate::fleet::abort::options::{CriterionOptions, MAX_CRITERIA};
use crate::fleet::abort::words::AbortAction;
use crate::fleet::outcome_counts::OutcomeCounts;
use crate::fleet::stored::{StoredError, json};

/// The abort criteria of a fleet command. The default has none.
///
/// AWS IoT Jobs' `abortConfig` with two additions: the failure type `NO_RESPONSE` and the action `PAUSE`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Abort {
    criteria: Vec<Criterion>,
}

impl Abort {
    /// The criteria with these options, 1 to 10 of them.
    ///
    /// # Errors
    /// There are none or too many, or a word or a number of one is not allowed.
    pub fn new(options: &[CriterionOptions]) -> Result<Self, AbortError> {
        if !(1..=MAX_CRITERIA).contains(&options.len()) {
            return Err(AbortError::HowMany(options.len()));
        }
        let criteria = options.iter().enumerate().map(|(at, options)| Criterion::new(at, options));
        Ok(Self { criteria: criteria.collect::<Result<_, _>>()? })
    }

    /// The criteria, in the order in which they were given.
    pub fn criteria(&self) -> &[Criterion] {
        &self.criteria
    }

    /// The options that give these criteria.
    pub fn options(&self) -> Vec<CriterionOptions> {
        self.criteria.iter().map(Criterion::options).collect()
    }

    /// The criterion that is met: the first one that cancels, else the first one that pauses.
    pub fn met_criterion(&self, outcomes: &OutcomeCounts) -> Option<&Criterion> {
        let met = |action| self.criteria.iter().find(move |one| one.action() == action && one.is_met(outcomes));
        met(AbortAction::Cancel).or_else(|| met(AbortAction::Pause))
    }

    /// The criterion that is met by what has ended since the command was resumed. Earlier outcomes do not count: they
    /// would pause the command again at once.
    pub fn met_criterion_since(&self, resumed: &OutcomeCounts, outcomes: &OutcomeCounts) -> Option<&Criterion> {
        self.met_criterion(&outcomes.since(resumed))
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
        let options: Vec<CriterionOptions> = serde_json::from_str(text).map_err(StoredError::of("abort"))?;
        match options.is_empty() {
            true => Ok(Self::default()),
            false => Self::new(&options).map_err(StoredError::of("abort")),
        }
    }
}
