//! The one endpoint, `AWS_ENDPOINT_URL`: which service a request is for, and whether its signature holds.
//!
//! | module | holds |
//! |---|---|
//! | [`service`] | which service a request is for |
//! | [`accepted`] | a listener of connections that another listener has accepted |
//! | [`guard`] | who may call, where the stack runs with `--authorize` |
//! | [`sigv4`] | whether a request was signed with the right secret |
//! | [`sts`] | `GetCallerIdentity` |
//! | [`operation`] | what a request asks for |
//! | [`strike`] | the calls of functions, and the faults that befall them |
//! | [`refusal`] | errors in the shape of each protocol |

mod accepted;
mod guard;
mod operation;
mod refusal;
mod service;
pub mod sigv4;
mod strike;
mod sts;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use local_faults::Faults;
use local_journal::Journal;
use serde_json::Value;
use tower::ServiceExt;

pub use accepted::AcceptedConnections;
pub use guard::{Caller, Guard};
use refusal::Protocol;
use service::Service;

/// The largest request that any service takes: DynamoDB's 16 MB.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// What stands behind the endpoint.
#[derive(Clone)]
pub struct Services {
    /// `DynamoDB_20120810.*`.
    pub dynamodb: Router,
    /// `AmazonSQS.*`.
    pub sqs: Router,
    /// `/2015-03-31/...`.
    pub lambda: Router,
    /// `iot-data`.
    pub data_plane: Router,
    /// `iot`.
    pub registry: Router,
    /// The account that every caller belongs to.
    pub account: String,
    /// What runs where, for `GET /`.
    pub about: Value,
    /// What is to go wrong with the calls of functions.
    pub faults: Faults,
    /// Where the calls of functions are noted.
    pub journal: Journal,
}

struct Gateway {
    services: Services,
    guard: Option<Guard>,
}

/// The endpoint. Without a guard everybody may call everything.
pub fn router(services: Services, guard: Option<Guard>) -> Router {
    Router::new().fallback(handle).with_state(Arc::new(Gateway { services, guard }))
}

async fn handle(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let protocol = Protocol::of(&parts);
    let Ok(body) = axum::body::to_bytes(body, MAX_BODY).await else {
        let message = "the request is larger than 16 MB, or it broke off";
        return protocol.refuse(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLargeException", message);
    };
    let service = Service::of(&parts);
    if service == Service::About {
        return about(&gateway.services.about);
    }
    if let Some(guard) = &gateway.guard
        && let Err(refused) = guard.admit(&parts, &body, service)
    {
        return protocol.refuse(StatusCode::FORBIDDEN, refused.code, &refused.message);
    }
    let services = &gateway.services;
    let router = match service {
        Service::DynamoDb => &services.dynamodb,
        Service::Sqs => &services.sqs,
        Service::Lambda => &services.lambda,
        Service::IotData => &services.data_plane,
        Service::Iot => &services.registry,
        Service::Sts => return sts::answer(&services.account, &body),
        Service::Unknown | Service::About => return not_offered(protocol, &name(&parts)),
    };
    match strike::caller(&services.faults, service, &parts, &body) {
        None => forward(router.clone(), protocol, parts, body).await,
        Some(call) => strike::carry_out(services, call, service, forward(router.clone(), protocol, parts, body)).await,
    }
}

async fn forward(router: Router, protocol: Protocol, parts: axum::http::request::Parts, body: Bytes) -> Response {
    let asked = name(&parts);
    let request = Request::from_parts(parts, Body::from(body));
    let answer = router.oneshot(request).await.unwrap_or_else(|never| match never {});
    if is_nobodys(&answer) { not_offered(protocol, &asked) } else { answer }
}

/// What a router answers for a path or a method that it does not have: no service of AWS's answers without a body.
fn is_nobodys(answer: &Response) -> bool {
    matches!(answer.status(), StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED)
        && !answer.headers().contains_key(header::CONTENT_TYPE)
}

fn name(parts: &axum::http::request::Parts) -> String {
    match parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok()) {
        Some(target) => target.to_owned(),
        None => format!("{} {}", parts.method, parts.uri.path()),
    }
}

fn not_offered(protocol: Protocol, operation: &str) -> Response {
    let message = format!("{operation} is not offered by the local stack");
    let status = if protocol == Protocol::RestJson { StatusCode::NOT_FOUND } else { StatusCode::BAD_REQUEST };
    protocol.refuse(status, "UnknownOperationException", &message)
}

fn about(about: &Value) -> Response {
    let body = serde_json::to_string_pretty(about).unwrap_or_default() + "\n";
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

#[cfg(test)]
mod tests;
