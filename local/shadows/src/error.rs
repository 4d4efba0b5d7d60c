//! Why the service refuses a request: AWS's codes and AWS's words.

/// A refused shadow request. The text is the `message` of a rejected answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShadowError {
    /// Not JSON, or JSON that is not an object.
    #[error("Invalid JSON")]
    InvalidJson,
    /// An update without `state`.
    #[error("Missing required node: state")]
    MissingState,
    /// `state` is neither an object nor null.
    #[error("State node must be an object")]
    StateNotObject,
    /// `desired` is neither an object nor null.
    #[error("Desired node must be an object")]
    DesiredNotObject,
    /// `reported` is neither an object nor null.
    #[error("Reported node must be an object")]
    ReportedNotObject,
    /// `state` holds something else than `desired` and `reported`, or the named array holds a null.
    #[error("State contains an invalid node: '{0}'")]
    InvalidNode(String),
    /// `version` is not a positive integer, or names a version of a shadow that does not exist.
    #[error("Invalid version")]
    InvalidVersion,
    /// `clientToken` is not a string, or longer than 64 bytes.
    #[error("Invalid clientToken")]
    InvalidClientToken,
    /// Nested deeper than the configured limit.
    #[error("JSON contains too many levels of nesting; maximum is {0}")]
    TooDeep(usize),
    /// Not `[a-zA-Z0-9:_-]{1,128}`.
    #[error("Invalid thing name")]
    InvalidThingName,
    /// Not `[$a-zA-Z0-9:_-]{1,64}`.
    #[error("Invalid shadow name")]
    InvalidShadowName,
    /// There is no such shadow; a classic shadow goes by the name of its thing.
    #[error("No shadow exists with name: '{0}'")]
    NotFound(String),
    /// The request's `version` is not the shadow's.
    #[error("Version conflict")]
    VersionConflict,
    /// The document would be larger than the configured limit.
    #[error("The payload exceeds the maximum size allowed")]
    TooLarge,
    /// The payload is not UTF-8. The text is spelt as AWS spells it.
    #[error("Unsupported documented encoding; supported encoding is UTF-8")]
    NotUtf8,
}

impl ShadowError {
    /// The `code` of a rejected answer, which is the HTTP status of a REST answer.
    pub fn code(&self) -> u16 {
        match self {
            Self::NotFound(_) => 404,
            Self::VersionConflict => 409,
            Self::TooLarge => 413,
            Self::NotUtf8 => 415,
            _ => 400,
        }
    }
}
