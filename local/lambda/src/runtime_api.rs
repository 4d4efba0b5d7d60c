//! The Runtime API, version 2018-06-01: what a process takes its work from. One listener for each process, so that
//! every call is known to be that process's, and ends with it.

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

/// Lambda allows an answer a little more than its 6 MB.
const ANSWER_LIMIT: usize = SYNC_LIMIT + 100;

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

/// Waits as long as it takes: a release build of the Rust runtime ends at an answer without work (204).
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
    match body::read(body, ANSWER_LIMIT).await {
        Ok(payload) => accepted(work_slot.answer(&id, Reply::Answered(payload))),
        Err(BodyError::TooLarge { .. }) => {
            let text = format!("Response payload size exceeded maximum allowed payload size ({ANSWER_LIMIT} bytes).");
            let failure = json!({ "errorType": "Function.ResponseSizeTooLarge", "errorMessage": text });
            work_slot.answer(&id, Reply::Failed(failure.to_string().into()));
            refused(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &text)
        }
        Err(error @ BodyError::Broken(_)) => refused(StatusCode::BAD_REQUEST, "InvalidRequest", &error.to_string()),
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

/// What the function says went wrong, made whole where it is not the object that callers expect.
async fn failure(headers: &HeaderMap, body: Body) -> String {
    let said = match body::read(body, ANSWER_LIMIT).await {
        Ok(said) => said,
        Err(error) => error.to_string().into(),
    };
    if let Ok(Value::Object(said)) = serde_json::from_slice(&said) {
        return Value::Object(said).to_string();
    }
    let kind = headers.get("lambda-runtime-function-error-type").and_then(|kind| kind.to_str().ok());
    json!({ "errorType": kind.unwrap_or("Unhandled"), "errorMessage": String::from_utf8_lossy(&said) }).to_string()
}

fn accepted(known: bool) -> Response<Body> {
    match known {
        true => (StatusCode::ACCEPTED, r#"{"status":"OK"}"#).into_response(),
        false => refused(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID"),
    }
}

fn refused(status: StatusCode, kind: &str, message: &str) -> Response<Body> {
    (status, json!({ "errorType": kind, "errorMessage": message }).to_string()).into_response()
}
