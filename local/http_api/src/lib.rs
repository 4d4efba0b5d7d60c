//! API Gateway HTTP API: routes, events in payload format 2.0, and the answers of functions as HTTP responses.
//!
//! | file | holds |
//! |---|---|
//! | `routes` | which route a request takes |
//! | `event` | the event that a function gets |
//! | `response` | the response that a function's answer stands for |

mod event;
mod response;
mod routes;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{Response, StatusCode};
use local_clock::Clock;
use local_http::body::{self, BodyError};
use local_lambda::{InvokeError, Lambda};
use local_resources::Route;

use routes::Routes;

/// API Gateway takes no larger body.
const BODY_LIMIT: usize = 10 * 1024 * 1024;

/// Checks a request's signature over its head and body: the access key that signed it, or why it does not verify.
pub type Authorize = Arc<dyn Fn(&Parts, &[u8]) -> Result<String, String> + Send + Sync>;

/// What is told of the API in events, and how it is guarded.
#[derive(Clone)]
pub struct Options {
    /// The account that owns the API.
    pub account: String,
    /// The API's id, first label of its domain name on AWS.
    pub api_id: String,
    /// Checks the requests of routes that ask for IAM authorization; without it, they are open.
    pub authorize: Option<Authorize>,
    /// Longest time for a function to answer.
    pub timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            account: "000000000000".to_owned(),
            api_id: "local".to_owned(),
            authorize: None,
            timeout: Duration::from_secs(30),
        }
    }
}

struct Api {
    clock: Clock,
    lambda: Lambda,
    routes: Routes,
    options: Options,
}

/// The API as a router. Serve it with `into_make_service_with_connect_info::<SocketAddr>()`, so that events name the
/// caller's address.
pub fn router(clock: Clock, lambda: Lambda, routes: Vec<Route>, options: Options) -> Router {
    let api = Api { clock, lambda, routes: Routes::new(routes), options };
    Router::new().fallback(handle).with_state(Arc::new(api))
}

async fn handle(State(api): State<Arc<Api>>, request: Request) -> Response<Body> {
    let request_id = uuid::Uuid::new_v4().to_string();
    let (parts, body) = request.into_parts();
    let mut response = match answer(&api, &request_id, &parts, body).await {
        Ok(response) => response,
        Err(status) => response::message(status),
    };
    tracing::debug!(method = %parts.method, uri = %parts.uri, status = response.status().as_u16(), request_id);
    if let Ok(id) = request_id.parse() {
        response.headers_mut().insert("apigw-requestid", id);
    }
    response
}

async fn answer(api: &Api, request_id: &str, parts: &Parts, body: Body) -> Result<Response<Body>, StatusCode> {
    let found = api.routes.find(parts.method.as_str(), parts.uri.path());
    let body = body::read(body, BODY_LIMIT).await.map_err(|error| match error {
        BodyError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        BodyError::Broken(_) => StatusCode::BAD_REQUEST,
    })?;
    let (route, parameters) = found.ok_or(StatusCode::NOT_FOUND)?;
    let caller = match &api.options.authorize {
        Some(authorize) if route.iam => Some(authorize(parts, &body).map_err(|reason| {
            tracing::warn!(method = %parts.method, uri = %parts.uri, "not authorized: {reason}");
            StatusCode::FORBIDDEN
        })?),
        _ => None,
    };
    let source = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
    let event = event::Event {
        parts,
        body: &body,
        route,
        parameters,
        caller,
        request_id,
        source,
        time_ms: api.clock.now_ms(),
        options: &api.options,
    };
    let invoke = api.lambda.invoke(&route.function_arn, event.to_json().into());
    let outcome = tokio::time::timeout(api.options.timeout, invoke).await.map_err(|_| StatusCode::GATEWAY_TIMEOUT)?;
    let outcome = outcome.map_err(|error| {
        tracing::warn!(method = %parts.method, uri = %parts.uri, "{error}");
        match error {
            InvokeError::Throttled(_) => StatusCode::SERVICE_UNAVAILABLE,
            InvokeError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            InvokeError::NotFound(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    })?;
    response::from_outcome(&outcome).map_err(|error| {
        tracing::warn!(method = %parts.method, uri = %parts.uri, "{error}");
        StatusCode::INTERNAL_SERVER_ERROR
    })
}
