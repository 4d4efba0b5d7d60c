//! The HTTP API of Lambda: `Invoke`, and the read operations that the AWS CLI requires.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use bytes::Bytes;
use local_http::body::{self, BodyError};
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::{Function, InvokeError, Lambda, SYNC_LIMIT};

pub(super) fn router(lambda: Lambda) -> Router {
    Router::new()
        .route("/2015-03-31/functions", get(list))
        .route("/2015-03-31/functions/", get(list))
        .route("/2015-03-31/functions/{name}", get(describe))
        .route("/2015-03-31/functions/{name}/configuration", get(describe_configuration))
        .route("/2015-03-31/functions/{name}/invocations", post(invoke))
        .with_state(lambda)
}

async fn invoke(
    State(lambda): State<Lambda>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, ApiError> {
    let payload = match body::read(body, SYNC_LIMIT).await {
        Ok(payload) if payload.is_empty() => Bytes::from_static(b"{}"),
        Ok(payload) => payload,
        Err(BodyError::TooLarge { limit }) => return Err(InvokeError::TooLarge { bytes: limit + 1, limit }.into()),
        Err(error) => return Err(ApiError::invalid_content(&error)),
    };
    serde_json::from_slice::<IgnoredAny>(&payload).map_err(|error| ApiError::invalid_content(&error))?;
    let kind = headers.get("x-amz-invocation-type").map_or(Ok("RequestResponse"), |kind| kind.to_str());
    match kind {
        Ok("RequestResponse") => {
            let outcome = lambda.invoke(&name, payload).await?;
            let error = outcome.error.map(|error| [("x-amz-function-error", error)]);
            let executed = [("x-amz-executed-version", "$LATEST"), ("content-type", "application/json")];
            Ok((executed, error.map(axum::response::AppendHeaders), outcome.payload).into_response())
        }
        Ok("Event") => {
            lambda.invoke_event(&name, payload)?;
            Ok(StatusCode::ACCEPTED.into_response())
        }
        Ok("DryRun") => {
            lambda.find(&name)?;
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        _ => Err(ApiError {
            status: StatusCode::BAD_REQUEST,
            kind: "InvalidParameterValueException",
            message: "X-Amz-Invocation-Type must be RequestResponse, Event or DryRun".to_owned(),
        }),
    }
}

async fn list(State(lambda): State<Lambda>) -> Response<Body> {
    let mut functions: Vec<_> = lambda.0.functions.values().map(|entry| &entry.pool.function).collect();
    functions.sort_by(|a, b| a.name.cmp(&b.name));
    let functions: Vec<_> = functions.into_iter().map(configuration).collect();
    answer(StatusCode::OK, &json!({ "Functions": functions }))
}

async fn describe(State(lambda): State<Lambda>, Path(name): Path<String>) -> Result<Response<Body>, ApiError> {
    let function = &lambda.find(&name)?.pool.function;
    Ok(answer(StatusCode::OK, &json!({ "Configuration": configuration(function), "Code": {}, "Tags": {} })))
}

async fn describe_configuration(
    State(lambda): State<Lambda>,
    Path(name): Path<String>,
) -> Result<Response<Body>, ApiError> {
    Ok(answer(StatusCode::OK, &configuration(&lambda.find(&name)?.pool.function)))
}

fn configuration(function: &Function) -> Value {
    json!({
        "FunctionName": function.name,
        "FunctionArn": function.arn,
        "Runtime": "provided.al2023",
        "Handler": "bootstrap",
        "Version": "$LATEST",
        "PackageType": "Zip",
        "MemorySize": function.memory_mb,
        "Timeout": function.timeout.as_secs(),
        "Environment": { "Variables": function.environment },
        "State": "Active",
        "LastUpdateStatus": "Successful",
    })
}

/// An error response of the Lambda API.
struct ApiError {
    status: StatusCode,
    kind: &'static str,
    message: String,
}

impl ApiError {
    fn invalid_content(error: &dyn std::error::Error) -> Self {
        let message = format!("Could not parse request body into json: {error}");
        Self { status: StatusCode::BAD_REQUEST, kind: "InvalidRequestContentException", message }
    }
}

impl From<InvokeError> for ApiError {
    fn from(error: InvokeError) -> Self {
        let (status, kind, message) = match error {
            InvokeError::NotFound(name) => {
                (StatusCode::NOT_FOUND, "ResourceNotFoundException", format!("Function not found: {name}"))
            }
            InvokeError::Throttled(_) => {
                (StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException", "Rate Exceeded.".to_owned())
            }
            InvokeError::TooLarge { limit, .. } => {
                let message = format!("Request must be smaller than {limit} bytes for the InvokeFunction operation");
                (StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException", message)
            }
        };
        Self { status, kind, message }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response<Body> {
        let kind = [("x-amzn-errortype", self.kind)];
        (kind, answer(self.status, &json!({ "Type": "User", "Message": self.message }))).into_response()
    }
}

fn answer(status: StatusCode, body: &Value) -> Response<Body> {
    (status, [("content-type", "application/json")], body.to_string()).into_response()
}
