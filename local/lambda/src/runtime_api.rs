//! The Runtime API, version 2018-06-01, which a process polls for invokes. Each process has its own listener, which
//! identifies the process of a request and is closed when the process exits.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use local_http::body::{self, BodyError};
use serde_json::{Value, json};

use super::SYNC_LIMIT;
use super::work_slot::{Phase, Reply, WorkSlot};

/// Maximum bytes of a response: Lambda accepts slightly more than 6 MB.
const RESPONSE_LIMIT: usize = SYNC_LIMIT + 100;

#[derive(Clone)]
struct Context {
    work_slot: Arc<WorkSlot>,
    arn: Arc<str>,
}

pub(super) fn router(work_slot: Arc<WorkSlot>, arn: &str) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .with_state(Context { work_slot, arn: arn.into() })
}

/// Waits for an invoke without a time limit: the Rust runtime, as a release build, exits at a response without one
/// (204).
async fn next(State(Context { work_slot, arn }): State<Context>) -> impl IntoResponse {
    let work = work_slot.take().await;
    let headers = [
        ("lambda-runtime-aws-request-id", work.id),
        ("lambda-runtime-deadline-ms", work.deadline_ms.to_string()),
        ("lambda-runtime-invoked-function-arn", arn.to_string()),
        ("lambda-runtime-trace-id", work.trace),
        ("content-type", "application/json".to_owned()),
    ];
    (headers, work.payload)
}

async fn response(
    State(Context { work_slot, .. }): State<Context>,
    Path(id): Path<String>,
    body: Body,
) -> Response<Body> {
    match body::read(body, RESPONSE_LIMIT).await {
        Ok(payload) => accepted(work_slot.answer(&id, Reply::Answered(payload))),
        Err(BodyError::TooLarge { .. }) => {
            let text = format!("Response payload size exceeded maximum allowed payload size ({RESPONSE_LIMIT} bytes).");
            let failure = json!({ "errorType": "Function.ResponseSizeTooLarge", "errorMessage": text });
            work_slot.answer(&id, Reply::Failed(failure.to_string().into()));
            rejected(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &text)
        }
        Err(error @ BodyError::Broken(_)) => rejected(StatusCode::BAD_REQUEST, "InvalidRequest", &error.to_string()),
    }
}

async fn error(
    State(Context { work_slot, .. }): State<Context>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response<Body> {
    accepted(work_slot.answer(&id, Reply::Failed(failure(&headers, body).await.into())))
}

async fn init_error(
    State(Context { work_slot, .. }): State<Context>,
    headers: HeaderMap,
    body: Body,
) -> Response<Body> {
    let failure = failure(&headers, body).await;
    work_slot.phase.send_replace(Phase::Failed(failure.into()));
    accepted(true)
}

/// The error that the function reports; one that is not a JSON object is converted to the usual error object.
async fn failure(headers: &HeaderMap, body: Body) -> String {
    let report = match body::read(body, RESPONSE_LIMIT).await {
        Ok(report) => report,
        Err(error) => error.to_string().into(),
    };
    if let Ok(Value::Object(report)) = serde_json::from_slice(&report) {
        return Value::Object(report).to_string();
    }
    let kind = headers.get("lambda-runtime-function-error-type").and_then(|kind| kind.to_str().ok());
    json!({ "errorType": kind.unwrap_or("Unhandled"), "errorMessage": String::from_utf8_lossy(&report) }).to_string()
}

fn accepted(known: bool) -> Response<Body> {
    match known {
        true => (StatusCode::ACCEPTED, r#"{"status":"OK"}"#).into_response(),
        false => rejected(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID"),
    }
}

fn rejected(status: StatusCode, kind: &str, message: &str) -> Response<Body> {
    (status, json!({ "errorType": kind, "errorMessage": message }).to_string()).into_response()
}
