//! Answers, and exceptions in the form of the API.

use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// An answer with a JSON body.
pub(super) fn json(body: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// An exception of the API.
#[derive(Debug)]
pub(super) struct Exception {
    status: StatusCode,
    name: &'static str,
    message: String,
}

impl Exception {
    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, name: "ResourceNotFoundException", message: message.into() }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, name: "ValidationException", message: message.into() }
    }

    pub(super) fn unauthorized(message: impl Into<String>) -> Self {
        Self { status: StatusCode::UNAUTHORIZED, name: "UnauthorizedException", message: message.into() }
    }
}

impl IntoResponse for Exception {
    fn into_response(self) -> Response {
        let name = [(HeaderName::from_static("x-amzn-errortype"), self.name)];
        (self.status, name, json(&json!({ "message": self.message }))).into_response()
    }
}
