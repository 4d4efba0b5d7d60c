//! `AbortFailure` and `AbortAction`: AWS IoT Jobs' words of an abort criterion, with `NO_RESPONSE` and `PAUSE` added.

use crate::fleet::outcome_counts::OutcomeCounts;

/// Which ended executions count as failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AbortFailure {
    /// The device failed to do it.
    Failed,
    /// The device refused it.
    Rejected,
    /// A deadline passed, for any reason.
    TimedOut,
    /// The request was sent and the device fell silent: a part of [`Self::TimedOut`].
    NoResponse,
    /// FAILED, REJECTED and TIMED_OUT together.
    All,
}

/// What happens when a criterion is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AbortAction {
    /// The command is canceled.
    Cancel,
    /// The command is paused until an operator resumes it.
    Pause,
}

impl AbortFailure {
    const ALL_WORDS: [Self; 5] = [Self::Failed, Self::Rejected, Self::TimedOut, Self::NoResponse, Self::All];

    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "FAILED",
            Self::Rejected => "REJECTED",
            Self::TimedOut => "TIMED_OUT",
            Self::NoResponse => "NO_RESPONSE",
            Self::All => "ALL",
        }
    }

    pub(super) fn parse(word: &str) -> Option<Self> {
        Self::ALL_WORDS.into_iter().find(|failure| failure.as_str() == word)
    }

    pub(super) fn count(self, outcomes: &OutcomeCounts) -> u128 {
        match self {
            Self::Failed => outcomes.failed.into(),
            Self::Rejected => outcomes.rejected.into(),
            Self::TimedOut => outcomes.timed_out.into(),
            Self::NoResponse => outcomes.no_response.into(),
            Self::All => u128::from(outcomes.failed) + u128::from(outcomes.rejected) + u128::from(outcomes.timed_out),
        }
    }
}

impl AbortAction {
    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cancel => "CANCEL",
            Self::Pause => "PAUSE",
        }
    }

    pub(super) fn parse(word: &str) -> Option<Self> {
        [Self::Cancel, Self::Pause].into_iter().find(|action| action.as_str() == word)
    }
}
