//! Why a request's signature is not accepted.

/// Reason for rejecting a signature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The request has no signature.
    #[error("Missing Authentication Token")]
    Missing,
    /// A part of the signature is missing or malformed.
    #[error("the signature is incomplete: {0}")]
    Incomplete(&'static str),
    /// The access key differs from that of the stack.
    #[error("The security token included in the request is invalid.")]
    UnknownKey,
    /// The time of signing is too far from now.
    #[error("Signature expired: {0} is not within its validity")]
    Time(String),
    /// The signature is for another Region.
    #[error("Credential should be scoped to a valid Region, not '{found}': this stack is in {expected}")]
    Region {
        /// The Region of the signature.
        found: String,
        /// The Region of the stack.
        expected: String,
    },
    /// The signature is for another service.
    #[error("Credential should be scoped to correct service: '{expected}'")]
    Service {
        /// The signing name of the service.
        expected: String,
    },
    /// The request was signed with another secret, or changed after signing.
    #[error(
        "The request signature we calculated does not match the signature you provided. \
         Check your AWS Secret Access Key and signing method."
    )]
    Mismatch,
}

impl SignatureError {
    /// The error code of AWS.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing => "MissingAuthenticationTokenException",
            Self::Incomplete(_) => "IncompleteSignatureException",
            Self::UnknownKey => "UnrecognizedClientException",
            Self::Time(_) | Self::Region { .. } | Self::Service { .. } | Self::Mismatch => "InvalidSignatureException",
        }
    }
}
