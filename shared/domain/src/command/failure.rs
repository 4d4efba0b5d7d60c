//! Why an attempt failed: the reasons that a retry policy can name.

/// Why an attempt failed. The values are stored as bits of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AttemptFailure {
    /// The request was sent, and no report came for as long as the retry policy waits.
    NoResponse = 1,
    /// The device ran it, and then its heartbeats stopped.
    HeartbeatLost = 2,
    /// The device reported FAILED.
    Failed = 4,
    /// The device reported REJECTED.
    Rejected = 8,
    /// The device reported TIMED_OUT.
    TimedOut = 16,
}

impl AttemptFailure {
    /// All values, in the order of their bits.
    pub const ALL: [Self; 5] = [Self::NoResponse, Self::HeartbeatLost, Self::Failed, Self::Rejected, Self::TimedOut];

    /// The word of the API and of history entries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoResponse => "NO_RESPONSE",
            Self::HeartbeatLost => "HEARTBEAT_LOST",
            Self::Failed => "FAILED",
            Self::Rejected => "REJECTED",
            Self::TimedOut => "TIMED_OUT",
        }
    }

    /// The failure of this word; none for any other word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|failure| failure.as_str() == word)
    }

    /// Whether the cloud concluded it from silence; otherwise the device reported it.
    pub const fn is_provisional(self) -> bool {
        match self {
            Self::NoResponse | Self::HeartbeatLost => true,
            Self::Failed | Self::Rejected | Self::TimedOut => false,
        }
    }
}
