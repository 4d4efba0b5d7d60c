//! Errors of the shadow service, with the codes and messages of AWS.

/// A rejected shadow request. Its text is the `message` of a rejected answer (AWS IoT: Device Shadow error messages).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShadowError {
    /// The payload is not a JSON object.
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
    /// `state` has a key other than `desired` and `reported`, or the named array contains a null.
    #[error("State contains an invalid node: '{0}'")]
    InvalidNode(String),
    /// `version` is not a positive integer, or is above 1 for a shadow that does not exist.
    #[error("Invalid version")]
    InvalidVersion,
    /// `clientToken` is not a string, or longer than 64 bytes.
    #[error("Invalid clientToken")]
    InvalidClientToken,
    /// Nesting deeper than the configured limit.
    #[error("JSON contains too many levels of nesting; maximum is {0}")]
    TooDeep(usize),
    /// The thing name is not `[a-zA-Z0-9:_-]{1,128}`.
    #[error("Invalid thing name")]
    InvalidThingName,
    /// The shadow name is not `[$a-zA-Z0-9:_-]{1,64}`.
    #[error("Invalid shadow name")]
    InvalidShadowName,
    /// The shadow does not exist; a classic shadow is named like its thing.
    #[error("No shadow exists with name: '{0}'")]
    NotFound(String),
    /// The request's `version` is not the shadow's current version.
    #[error("Version conflict")]
    VersionConflict,
    /// The document would be larger than the configured limit.
    #[error("The payload exceeds the maximum size allowed")]
    TooLarge,
    /// The payload is not UTF-8. The message is AWS's, including its misspelling.
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
