//! Answers that several operations share.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use uuid::Uuid;

/// An answer with a JSON body.
pub(super) fn json(body: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// The answer of an operation without a result.
pub(super) fn ok() -> Response {
    json(&json!({ "message": "OK", "traceId": trace_id() }))
}

/// The trace id of an answer.
pub(super) fn trace_id() -> String {
    Uuid::new_v4().to_string()
}
