//! The REST-JSON wire: path, query, headers and body make one request; the answer is JSON.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::{BytesRejection, RawPathParamsRejection};
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::error::{Error, Kind};
use super::store::{Call, Store};
use super::{Registry, routes};

/// Members of requests that are numbers; in a query they come as text.
const NUMBERS: [&str; 3] = ["expectedVersion", "maxResults", "pageSize"];
/// Members of requests that are true or false; in a query they come as text.
const BOOLEANS: [&str; 6] =
    ["forceDelete", "isAscendingOrder", "recursive", "setAsActive", "setAsDefault", "usePrefixAttributeValue"];
/// Headers that carry members.
const HEADERS: [(&str, &str); 2] = [("x-amzn-principal", "principal"), ("x-amzn-iot-principal", "principal")];

/// Everything that the registry serves.
pub(super) fn router(registry: Registry) -> Router {
    routes::all(Router::new()).fallback(unknown).method_not_allowed_fallback(unknown).with_state(registry)
}

/// An operation that only looks.
pub(super) fn read<I>(method: MethodFilter, run: fn(&Store, &Call<'_>, I) -> Outcome) -> MethodRouter<Registry>
where
    I: DeserializeOwned + Send + 'static,
{
    on(method, move |State(registry): State<Registry>, Parameters(input): Parameters<I>| async move {
        answer(registry.read(|store, call| run(store, call, input)))
    })
}

/// An operation that changes something.
pub(super) fn write<I>(method: MethodFilter, run: fn(&mut Store, &Call<'_>, I) -> Outcome) -> MethodRouter<Registry>
where
    I: DeserializeOwned + Send + 'static,
{
    on(method, move |State(registry): State<Registry>, Parameters(input): Parameters<I>| async move {
        answer(registry.write(|store, call| run(store, call, input)))
    })
}

/// What an operation answers.
pub(super) type Outcome = Result<Value, Error>;

/// A JSON response.
pub(super) fn json(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

pub(super) fn answer(outcome: Outcome) -> Response {
    match outcome {
        Ok(body) => json(StatusCode::OK, &body),
        Err(error) => error.into_response(),
    }
}

async fn unknown(request: Request) -> Error {
    let (method, path) = (request.method(), request.uri().path());
    Error::new(Kind::UnknownOperation, format!("No operation of AWS IoT that is served here is {method} {path}"))
}

/// All members of a request, wherever they came.
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
            let value = typed(&name, value)?;
            members.insert(name, value);
        }
        for (header, name) in HEADERS {
            if let Some(value) = headers.get(header) {
                let value = value.to_str().map_err(|error| Error::invalid(format!("Header {header}: {error}")))?;
                members.insert(name.to_owned(), value.into());
            }
        }
        for (name, value) in &path {
            // All routers that share the path must call this segment by one name.
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
    // A query may write a space as a plus; what is really a plus comes as %2B.
    let text = text.replace('+', " ");
    let decoded = percent_encoding::percent_decode_str(&text).decode_utf8();
    decoded.map(String::from).map_err(|error| Error::invalid(format!("The query is not UTF-8: {error}")))
}

fn typed(name: &str, value: String) -> Result<Value, Error> {
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
