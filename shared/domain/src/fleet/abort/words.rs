//! What counts as a failure, and what is done about too many: AWS Jobs' words, and two of our own.

use crate::fleet::Ends;

/// What counts as a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AbortFailure {
    /// The device could not.
    Failed,
    /// The device would not.
    Rejected,
    /// It was not done in time, for whatever reason.
    TimedOut,
    /// The device was asked and fell silent: part of [`Self::TimedOut`].
    NoResponse,
    /// FAILED, REJECTED and TIMED_OUT together.
    All,
}

/// What is done then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AbortAction {
    /// The command is canceled.
    Cancel,
    /// Nobody else is asked until somebody resumes it.
    Pause,
}

impl AbortFailure {
    const WORDS: [Self; 5] = [Self::Failed, Self::Rejected, Self::TimedOut, Self::NoResponse, Self::All];

    /// The word.
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
        Self::WORDS.into_iter().find(|failure| failure.as_str() == word)
    }

    pub(super) fn count(self, ends: &Ends) -> u128 {
        match self {
            Self::Failed => ends.failed.into(),
            Self::Rejected => ends.rejected.into(),
            Self::TimedOut => ends.timed_out.into(),
            Self::NoResponse => ends.no_response.into(),
            Self::All => u128::from(ends.failed) + u128::from(ends.rejected) + u128::from(ends.timed_out),
        }
    }
}

impl AbortAction {
    /// The word.
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
