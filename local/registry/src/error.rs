//! Exceptions of the AWS IoT control plane and their HTTP responses.

use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An exception of the `iot` API.
#[derive(Debug, thiserror::Error)]
#[error("{kind:?}: {message}")]
pub(super) struct Error {
    pub kind: ErrorKind,
    pub message: String,
    /// Id and ARN of the existing resource, for `ResourceAlreadyExistsException`.
    pub resource: Option<(String, String)>,
}

/// Exception type; gives status code and name of the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ErrorKind {
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

impl ErrorKind {
    fn status_and_name(self) -> (StatusCode, &'static str) {
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
    pub(super) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), resource: None }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidRequest, message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::ResourceNotFound, message)
    }

    pub(super) fn already_exists(message: impl Into<String>, id: &str, arn: String) -> Self {
        Self { resource: Some((id.to_owned(), arn)), ..Self::new(ErrorKind::ResourceAlreadyExists, message) }
    }

    /// Fails if `expected` is given and differs from the present `version` of the resource `what`.
    pub(super) fn check_version(expected: Option<i64>, version: i64, what: &str) -> Result<(), Self> {
        match expected {
            Some(expected) if expected != version => Err(Self::new(
                ErrorKind::VersionConflict,
                format!("The version for {what} does not match the expected version {expected}: it is {version}"),
            )),
            _ => Ok(()),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, name) = self.kind.status_and_name();
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
