//! Exceptions of the control plane.

use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::http;

/// Result of an operation: the JSON body of its answer, or an exception.
pub(super) type Outcome = Result<Value, Error>;

/// An exception of the `iot` API.
#[derive(Debug)]
pub(super) struct Error {
    status: StatusCode,
    name: &'static str,
    message: String,
    /// Id and ARN of the existing job, for `ResourceAlreadyExistsException`.
    resource: Option<(String, String)>,
}

impl Error {
    fn new(status: StatusCode, name: &'static str, message: impl Into<String>) -> Self {
        Self { status, name, message: message.into(), resource: None }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidRequestException", message)
    }

    /// A member of a request that the local stack does not follow.
    pub(super) fn not_served(member: &str) -> Self {
        Self::invalid(format!("{member} is not supported by the local stack"))
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "ResourceNotFoundException", message)
    }

    pub(super) fn unknown_operation(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "UnknownOperationException", message)
    }

    pub(super) fn limit_exceeded(message: impl Into<String>) -> Self {
        Self::new(StatusCode::GONE, "LimitExceededException", message)
    }

    pub(super) fn invalid_transition(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "InvalidStateTransitionException", message)
    }

    pub(super) fn version_conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "VersionConflictException", message)
    }

    pub(super) fn already_exists(job: &str, arn: String) -> Self {
        let message = format!("Job {job} already exists");
        let resource = Some((job.to_owned(), arn));
        Self { resource, ..Self::new(StatusCode::CONFLICT, "ResourceAlreadyExistsException", message) }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut body = json!({ "message": self.message });
        if let Some((id, arn)) = self.resource {
            body["resourceId"] = id.into();
            body["resourceArn"] = arn.into();
        }
        (self.status, [(HeaderName::from_static("x-amzn-errortype"), self.name)], http::json(&body)).into_response()
    }
}
