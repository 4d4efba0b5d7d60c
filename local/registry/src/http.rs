//! The REST-JSON protocol: reads a request from path, query, headers and body, and writes JSON responses.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::{BytesRejection, RawPathParamsRejection};
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::error::{Error, ErrorKind};
use super::store::{Context, Store};
use super::{Registry, routes};

/// Request members that are numbers; a query string holds them as text.
const NUMBERS: [&str; 3] = ["expectedVersion", "maxResults", "pageSize"];
/// Request members that are booleans; a query string holds them as text.
const BOOLEANS: [&str; 6] =
    ["forceDelete", "isAscendingOrder", "recursive", "setAsActive", "setAsDefault", "usePrefixAttributeValue"];
/// Headers that carry request members: header name, member name.
const HEADERS: [(&str, &str); 2] = [("x-amzn-principal", "principal"), ("x-amzn-iot-principal", "principal")];

/// All routes of the registry, with `UnknownOperationException` as the fallback.
pub(super) fn router(registry: Registry) -> Router {
    routes::all(Router::new()).fallback(unknown).method_not_allowed_fallback(unknown).with_state(registry)
}

/// The route of an operation that reads the state.
pub(super) fn read<I>(method: MethodFilter, run: fn(&Store, &Context<'_>, I) -> Outcome) -> MethodRouter<Registry>
where
    I: DeserializeOwned + Send + 'static,
{
    on(method, move |State(registry): State<Registry>, Parameters(input): Parameters<I>| async move {
        respond(registry.read(|store, context| run(store, context, input)))
    })
}

/// The route of an operation that changes the state.
pub(super) fn write<I>(method: MethodFilter, run: fn(&mut Store, &Context<'_>, I) -> Outcome) -> MethodRouter<Registry>
where
    I: DeserializeOwned + Send + 'static,
{
    on(method, move |State(registry): State<Registry>, Parameters(input): Parameters<I>| async move {
        respond(registry.write(|store, context| run(store, context, input)))
    })
}

/// Result of an operation: the JSON body of its response, or an exception.
pub(super) type Outcome = Result<Value, Error>;

/// A JSON response.
pub(super) fn json(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

pub(super) fn respond(outcome: Outcome) -> Response {
    match outcome {
        Ok(body) => json(StatusCode::OK, &body),
        Err(error) => error.into_response(),
    }
}

async fn unknown(request: Request) -> Error {
    let (method, path) = (request.method(), request.uri().path());
    Error::new(
        ErrorKind::UnknownOperation,
        format!("{method} {path} is not an AWS IoT operation that the local stack supports"),
    )
}

/// All members of a request: from body, query, headers and path; the later ones override the earlier ones.
pub(super) struct Parameters<I>(pub I);

impl<I: DeserializeOwned, S: Send + Sync> FromRequest<S> for Parameters<I> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let (mut parts, body) = request.into_parts();
        let path: Result<_, RawPathParamsRejection> = RawPathParams::from_request_parts(&mut parts, state).await;
        let path = path.map_err(|error| Error::invalid(error.body_text()))?;
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let headers = parts.headers.clone();
        let body: Result<_, BytesRejection> = Bytes::from_request(Request::from_parts(parts, body), state).await;
        let body = body.map_err(|error| Error::invalid(error.body_text()))?;

        let mut members = members_of_body(&body)?;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            let value = parse_member(&name, value)?;
            members.insert(name, value);
        }
        for (header, name) in HEADERS {
            if let Some(value) = headers.get(header) {
                let value = value.to_str().map_err(|error| Error::invalid(format!("Header {header}: {error}")))?;
                members.insert(name.to_owned(), value.into());
            }
        }
        for (name, value) in &path {
            // All routers that share the path must give this segment the same name.
            let name = if name == "thing" { "thingName" } else { name };
            members.insert(name.to_owned(), value.into());
        }
        serde_json::from_value(Value::Object(members)).map(Self).map_err(|error| Error::invalid(error.to_string()))
    }
}

fn members_of_body(body: &[u8]) -> Result<Map<String, Value>, Error> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    serde_json::from_slice(body).map_err(|error| Error::invalid(format!("The body is not a JSON object: {error}")))
}

fn decode(text: &str) -> Result<String, Error> {
    // A query may encode a space as a plus; a plus itself is encoded as %2B.
    let text = text.replace('+', " ");
    let decoded = percent_encoding::percent_decode_str(&text).decode_utf8();
    decoded.map(String::from).map_err(|error| Error::invalid(format!("The query is not UTF-8: {error}")))
}

fn parse_member(name: &str, value: String) -> Result<Value, Error> {
    if NUMBERS.contains(&name) {
        let number: i64 = value.parse().map_err(|_| Error::invalid(format!("{name} is not a number: {value}")))?;
        return Ok(number.into());
    }
    if BOOLEANS.contains(&name) {
        let truth: bool = value.parse().map_err(|_| Error::invalid(format!("{name} is not true or false: {value}")))?;
        return Ok(truth.into());
    }
    Ok(value.into())
}
