//! Answers shared by several operations: JSON, OK, trace id.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use uuid::Uuid;

/// An answer with a JSON body.
pub(super) fn json(body: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// The answer to an operation without a result.
pub(super) fn ok() -> Response {
    json(&json!({ "message": "OK", "traceId": trace_id() }))
}

/// A new trace id for an answer.
pub(super) fn trace_id() -> String {
    Uuid::new_v4().to_string()
}
