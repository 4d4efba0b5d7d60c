//! What the control plane answers when it cannot do what was asked: AWS IoT's exceptions.

use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An exception of the `iot` API.
#[derive(Debug, thiserror::Error)]
#[error("{kind:?}: {message}")]
pub(super) struct Error {
    pub kind: Kind,
    pub message: String,
    /// The id and ARN of what is in the way, for `ResourceAlreadyExistsException`.
    pub resource: Option<(String, String)>,
}

/// Which exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    CertificateState,
    CertificateValidation,
    DeleteConflict,
    InternalFailure,
    InvalidQuery,
    InvalidRequest,
    LimitExceeded,
    MalformedPolicy,
    ResourceAlreadyExists,
    ResourceNotFound,
    UnknownOperation,
    VersionConflict,
    VersionsLimitExceeded,
}

impl Kind {
    fn wire(self) -> (StatusCode, &'static str) {
        match self {
            Self::CertificateState => (StatusCode::NOT_ACCEPTABLE, "CertificateStateException"),
            Self::CertificateValidation => (StatusCode::BAD_REQUEST, "CertificateValidationException"),
            Self::DeleteConflict => (StatusCode::CONFLICT, "DeleteConflictException"),
            Self::InternalFailure => (StatusCode::INTERNAL_SERVER_ERROR, "InternalFailureException"),
            Self::InvalidQuery => (StatusCode::BAD_REQUEST, "InvalidQueryException"),
            Self::InvalidRequest => (StatusCode::BAD_REQUEST, "InvalidRequestException"),
            Self::LimitExceeded => (StatusCode::GONE, "LimitExceededException"),
            Self::MalformedPolicy => (StatusCode::BAD_REQUEST, "MalformedPolicyException"),
            Self::ResourceAlreadyExists => (StatusCode::CONFLICT, "ResourceAlreadyExistsException"),
            Self::ResourceNotFound => (StatusCode::NOT_FOUND, "ResourceNotFoundException"),
            Self::UnknownOperation => (StatusCode::NOT_FOUND, "UnknownOperationException"),
            Self::VersionConflict => (StatusCode::CONFLICT, "VersionConflictException"),
            Self::VersionsLimitExceeded => (StatusCode::CONFLICT, "VersionsLimitExceededException"),
        }
    }
}

impl Error {
    pub(super) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), resource: None }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Kind::InvalidRequest, message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(Kind::ResourceNotFound, message)
    }

    pub(super) fn already_exists(message: impl Into<String>, id: &str, arn: String) -> Self {
        Self { resource: Some((id.to_owned(), arn)), ..Self::new(Kind::ResourceAlreadyExists, message) }
    }

    /// Fails when the caller expected another version than the present one.
    pub(super) fn unless_expected(expected: Option<i64>, version: i64, what: &str) -> Result<(), Self> {
        match expected {
            Some(expected) if expected != version => Err(Self::new(
                Kind::VersionConflict,
                format!("The version for {what} does not match the expected version {expected}: it is {version}"),
            )),
            _ => Ok(()),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, name) = self.kind.wire();
        let mut body = json!({ "message": self.message });
        if let Some((id, arn)) = self.resource {
            body["resourceId"] = id.into();
            body["resourceArn"] = arn.into();
        }
        let mut response = super::http::json(status, &body);
        response.headers_mut().insert(HeaderName::from_static("x-amzn-errortype"), HeaderValue::from_static(name));
        response
    }
}
