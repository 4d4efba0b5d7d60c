//! Errors of the API: HTTP status, header with the exception name, JSON body with the message.

use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use local_broker::{DirectError, PublishError};
use local_shadows::ShadowError;
use serde_json::json;

use super::answer;

const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// An error answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ApiError {
    status: StatusCode,
    message: String,
}

impl ApiError {
    fn new(status: StatusCode, message: impl ToString) -> Self {
        Self { status, message: message.to_string() }
    }

    pub(super) fn invalid(message: impl ToString) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "The specified resource does not exist.")
    }

    pub(super) fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "The payload exceeds the maximum size allowed")
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "The specified method is not allowed on this resource.")
    }

    /// The exception name that the API model defines for the status.
    fn exception(&self) -> &'static str {
        match self.status {
            StatusCode::BAD_REQUEST => "InvalidRequestException",
            StatusCode::NOT_FOUND => "ResourceNotFoundException",
            StatusCode::METHOD_NOT_ALLOWED => "MethodNotAllowedException",
            StatusCode::CONFLICT => "ConflictException",
            StatusCode::PAYLOAD_TOO_LARGE => "RequestEntityTooLargeException",
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "UnsupportedDocumentEncodingException",
            StatusCode::GATEWAY_TIMEOUT => "GatewayTimeoutException",
            _ => "InternalFailureException",
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = json!({ "message": self.message, "traceId": answer::trace_id() });
        (self.status, [(ERROR_TYPE, self.exception())], answer::json(&body)).into_response()
    }
}

impl From<ShadowError> for ApiError {
    fn from(error: ShadowError) -> Self {
        Self::new(StatusCode::from_u16(error.code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), error)
    }
}

impl From<PublishError> for ApiError {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Topic { .. } | PublishError::Property { .. } => Self::invalid(error),
            PublishError::TooLarge { .. } => Self::too_large(),
        }
    }
}

impl From<DirectError> for ApiError {
    fn from(error: DirectError) -> Self {
        match error {
            DirectError::NotConnected(_) => Self::not_found(),
            DirectError::NoAcknowledgement(_) => Self::new(StatusCode::GATEWAY_TIMEOUT, error),
            DirectError::Message(error) => error.into(),
        }
    }
}
