//! The outcome of trimming a message, and why a message can't be trimmed.

/// The outcome of trimming a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrimOutcome {
    /// A smaller message, to be published.
    Trimmed {
        /// `{"state":..,"version":..,"clientToken":..}`. The token is present only if the message had one.
        body: String,
        /// The version of the shadow.
        version: u64,
        /// The size of the message as the shadow service published it, in bytes.
        original_bytes: usize,
    },
    /// The trimmed message would not be smaller: nothing is published.
    NotSmaller,
    /// All of the state has expired or is not in the allow-list: nothing is published.
    NothingLeft,
}

/// Why a message can't be trimmed. A retry does not help.
#[derive(Debug, thiserror::Error)]
pub enum TrimError {
    /// A part of `state` or `metadata` does not have its documented shape.
    #[error("not a shadow message")]
    Malformed(#[source] serde_json::Error),
    /// `state` is missing or not an object, or `version` is missing or not a whole number.
    #[error(
        "a shadow message has an object `state` and a whole number `version`; {missing} is missing or of another type"
    )]
    Missing {
        /// The member that is missing.
        missing: &'static str,
    },
}
