//! The AWS endpoint of the local stack (`AWS_ENDPOINT_URL`): forwards each request to its service and verifies
//! signatures.
//!
//! | module | holds |
//! |---|---|
//! | [`service`] | the service of a request |
//! | [`accepted`] | a listener that serves connections accepted by another listener |
//! | [`authorization`] | authorization by signature or client certificate |
//! | [`sigv4`] | verification of Signature Version 4 |
//! | [`sts`] | `GetCallerIdentity` |
//! | [`operation`] | operation name and path of a request, for faults and the journal |
//! | [`function_call`] | requests of functions: injected faults and journal |
//! | [`protocol`] | error responses in the format of each protocol |

mod accepted;
mod authorization;
mod function_call;
mod operation;
mod protocol;
mod service;
pub mod sigv4;
mod sts;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use local_faults::Faults;
use local_http::origin;
use local_journal::Journal;
use serde_json::Value;
use tower::ServiceExt;

pub use accepted::AcceptedConnections;
pub use authorization::{Caller, Guard};
use protocol::Protocol;
use service::Service;

/// Maximum bytes of a request body; the largest limit of all services (DynamoDB: 16 MB).
const MAX_BODY: usize = 16 * 1024 * 1024;

/// The services behind the endpoint.
#[derive(Clone)]
pub struct Services {
    /// DynamoDB: target `DynamoDB_20120810.*`.
    pub dynamodb: Router,
    /// SQS: target `AmazonSQS.*`.
    pub sqs: Router,
    /// Lambda: paths `/2015-03-31/...`.
    pub lambda: Router,
    /// AWS IoT data plane (`iot-data`).
    pub data_plane: Router,
    /// MQTT over WebSocket: path `/mqtt`.
    pub mqtt: Router,
    /// AWS IoT control plane (`iot`).
    pub registry: Router,
    /// Jobs, for operators: a part of the control plane.
    pub jobs: Router,
    /// Jobs, for devices (`iot-jobs-data`).
    pub jobs_data: Router,
    /// Greengrass: paths `/greengrass/...`.
    pub greengrass: Router,
    /// Account id of all callers.
    pub account: String,
    /// Description of the stack, the response to `GET /`.
    pub about: Value,
    /// Faults to inject into requests of functions.
    pub faults: Faults,
    /// Journal that records requests of functions.
    pub journal: Journal,
}

struct Gateway {
    services: Services,
    guard: Option<Guard>,
}

/// The endpoint as a router. Without a guard, every request is allowed.
pub fn router(services: Services, guard: Option<Guard>) -> Router {
    let endpoint = Router::new().fallback(handle).with_state(Arc::new(Gateway { services, guard }));
    endpoint.layer(axum::middleware::from_fn(origin::refuse_other_machines))
}

async fn handle(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let protocol = Protocol::of(&parts);
    let Ok(body) = axum::body::to_bytes(body, MAX_BODY).await else {
        let message = "the request is larger than 16 MB, or its connection was closed";
        return protocol.error_response(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLargeException", message);
    };
    let service = Service::of(&parts);
    if service == Service::About {
        return about(&gateway.services.about);
    }
    if let Some(guard) = &gateway.guard
        && guard.applies_to(service)
        && let Err(denied) = guard.authorize(&parts, &body, service)
    {
        return protocol.error_response(StatusCode::FORBIDDEN, denied.code, &denied.message);
    }
    let services = &gateway.services;
    let router = match service {
        Service::DynamoDb => &services.dynamodb,
        Service::Sqs => &services.sqs,
        Service::Lambda => &services.lambda,
        Service::IotData => &services.data_plane,
        Service::Mqtt => &services.mqtt,
        Service::Iot => &services.registry,
        Service::Jobs => &services.jobs,
        Service::JobsData => &services.jobs_data,
        Service::Greengrass => &services.greengrass,
        Service::Sts => return sts::answer(&services.account, &body),
        Service::Unknown | Service::About => return unsupported_operation(protocol, &operation_name(&parts)),
    };
    match function_call::identify(&services.faults, service, &parts, &body) {
        None => forward(router.clone(), protocol, parts, body).await,
        Some(call) => {
            function_call::execute(services, call, service, forward(router.clone(), protocol, parts, body)).await
        }
    }
}

async fn forward(router: Router, protocol: Protocol, parts: axum::http::request::Parts, body: Bytes) -> Response {
    let operation = operation_name(&parts);
    let request = Request::from_parts(parts, Body::from(body));
    let answer = router.oneshot(request).await.unwrap_or_else(|never| match never {});
    if is_router_fallback(&answer) { unsupported_operation(protocol, &operation) } else { answer }
}

/// Whether a response comes from a router without a matching route. Error responses of AWS services always have a body.
fn is_router_fallback(answer: &Response) -> bool {
    matches!(answer.status(), StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED)
        && !answer.headers().contains_key(header::CONTENT_TYPE)
}

fn operation_name(parts: &axum::http::request::Parts) -> String {
    match parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok()) {
        Some(target) => target.to_owned(),
        None => format!("{} {}", parts.method, parts.uri.path()),
    }
}

fn unsupported_operation(protocol: Protocol, operation: &str) -> Response {
    let message = format!("{operation} is not supported by the local stack");
    let status = if protocol == Protocol::RestJson { StatusCode::NOT_FOUND } else { StatusCode::BAD_REQUEST };
    protocol.error_response(status, "UnknownOperationException", &message)
}

fn about(about: &Value) -> Response {
    let body = serde_json::to_string_pretty(about).unwrap_or_default() + "\n";
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

#[cfg(test)]
mod tests;
