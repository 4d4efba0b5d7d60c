//! The HTTP API: checks requests and forwards them to the engine.

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;

use super::DynamoDb;
use super::capacity::CapacityProbe;
use super::writes::RecordedWrite;

pub(super) const CONTENT_TYPE: &str = "application/x-amz-json-1.0";

/// Maximum bytes of a request body (DynamoDB quotas: 16 MB).
const MAX_BODY: usize = 16 * 1024 * 1024;

pub(super) fn router(dynamodb: DynamoDb) -> axum::Router {
    axum::Router::new().route("/", post(handle)).layer(DefaultBodyLimit::max(MAX_BODY)).with_state(dynamodb)
}

async fn handle(State(dynamodb): State<DynamoDb>, headers: HeaderMap, body: Result<Bytes, BodyRejection>) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return error(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", "the request is larger than 16 MB");
        }
        Err(rejection) => return error(StatusCode::BAD_REQUEST, "SerializationException", &rejection.body_text()),
    };
    // The engine would accept a list as an object without fields.
    if std::str::from_utf8(&body).is_err() || !body.trim_ascii_start().starts_with(b"{") {
        return error(StatusCode::BAD_REQUEST, "SerializationException", "the body is not a JSON object");
    }
    let target = headers.get("x-amz-target").and_then(|v| v.to_str().ok()).unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default();
    let write = RecordedWrite::begin(&dynamodb, operation, &body).await;
    let lagging = dynamodb.0.lag.engine_for(operation, &body);
    let engine = lagging.as_deref().unwrap_or(&dynamodb.0.engine);
    let (probe, body) = CapacityProbe::start(operation, body);
    let answered = match write {
        Some(write) => write.execute(&dynamodb, target, body).await,
        None => engine.call(target, body).await.map_err(|cause| cause.to_string()),
    };
    let (status, answer) = match answered {
        Ok(answered) => answered,
        Err(cause) => {
            tracing::error!(operation, error = %cause, "no answer from the DynamoDB engine");
            return error(
                StatusCode::INTERNAL_SERVER_ERROR,
                "InternalServerError",
                "no answer from the DynamoDB engine",
            );
        }
    };
    let answer = probe.finish(status, answer, &dynamodb.0.ledger);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    respond(status, Body::from(answer))
}

type BodyRejection = axum::extract::rejection::BytesRejection;

fn error(status: StatusCode, code: &'static str, message: &str) -> Response {
    let body = serde_json::json!({"__type": format!("com.amazon.coral.service#{code}"), "message": message});
    respond(status, Body::from(body.to_string()))
}

fn respond(status: StatusCode, body: Body) -> Response {
    let request_id = uuid::Uuid::new_v4().simple().to_string();
    (status, [(header::CONTENT_TYPE, CONTENT_TYPE), (REQUEST_ID, request_id.as_str())], body).into_response()
}

const REQUEST_ID: header::HeaderName = header::HeaderName::from_static("x-amzn-requestid");
