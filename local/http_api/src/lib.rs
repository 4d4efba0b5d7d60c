//! API Gateway HTTP API: routes requests to functions as events in payload format 2.0 and returns their responses.
//!
//! | file | holds |
//! |---|---|
//! | `routes` | selection of the route of a request |
//! | `event` | the event of a request |
//! | `response` | the HTTP response of a function result |

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
use local_http::origin;
use local_lambda::{InvokeError, Lambda};
use local_resources::Route;

use routes::Routes;

/// Maximum bytes of a request body (API Gateway quotas: 10 MB).
const BODY_LIMIT: usize = 10 * 1024 * 1024;

/// Verifies the signature of a request over head and body: returns the access key, or the reason for the rejection.
pub type Authorize = Arc<dyn Fn(&Parts, &[u8]) -> Result<String, String> + Send + Sync>;

/// Settings of the API.
#[derive(Clone)]
pub struct Options {
    /// Account id, which events contain.
    pub account: String,
    /// API id, which events contain; on AWS, the first label of the domain name.
    pub api_id: String,
    /// Verifies requests to routes with IAM authorization; with `None`, these routes are open.
    pub authorize: Option<Authorize>,
    /// Maximum time of a function invoke; a longer one gives status 504.
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

/// The API as a router. To be served with `into_make_service_with_connect_info::<SocketAddr>()`, so that events contain
/// the address of the client.
pub fn router(clock: Clock, lambda: Lambda, routes: Vec<Route>, options: Options) -> Router {
    let api = Api { clock, lambda, routes: Routes::new(routes), options };
    let api = Router::new().fallback(handle).with_state(Arc::new(api));
    api.layer(axum::middleware::from_fn(origin::refuse_other_machines))
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
    let outcome = api.clock.timeout(api.options.timeout, invoke).await.ok_or(StatusCode::GATEWAY_TIMEOUT)?;
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
