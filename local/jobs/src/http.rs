//! The REST-JSON protocol: reads a request from path, query and body, and writes JSON answers.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, RawPathParamsRejection};
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Jobs;
use super::error::{Error, Outcome};
use super::transaction::Transaction;

/// A timestamp of the control plane: seconds since 1970, with a fraction.
pub(super) fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

/// A JSON answer. Members that are null are left out.
pub(super) fn json(body: &Value) -> Response {
    let mut body = body.clone();
    drop_nulls(&mut body);
    ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// The route of an operation of the control plane.
pub(super) fn operation<I>(method: MethodFilter, run: fn(&mut Transaction<'_>, I) -> Outcome) -> MethodRouter<Jobs>
where
    I: DeserializeOwned + Send + 'static,
{
    on(method, move |State(jobs): State<Jobs>, Parameters(input): Parameters<I>| async move {
        jobs.transact(|transaction| run(transaction, input)).map(|body| json(&body))
    })
}

pub(super) async fn unknown(request: Request) -> Error {
    let (method, path) = (request.method(), request.uri().path());
    Error::unknown_operation(format!("{method} {path} is not supported by the local stack"))
}

/// All members of a request: from body, query and path; the later ones override the earlier ones.
pub(super) struct Parameters<I>(pub I);

impl<I: DeserializeOwned, S: Send + Sync> FromRequest<S> for Parameters<I> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let (mut parts, body) = request.into_parts();
        let path: Result<_, RawPathParamsRejection> = RawPathParams::from_request_parts(&mut parts, state).await;
        let path = path.map_err(|error| Error::invalid(error.body_text()))?;
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let body: Result<_, BytesRejection> = Bytes::from_request(Request::from_parts(parts, body), state).await;
        let body = body.map_err(|error| Error::invalid(error.body_text()))?;

        let mut members = members_of_body(&body)?;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            members.insert(decode(name)?, decode(value)?.into());
        }
        members.extend(path.iter().map(|(name, value)| (name.to_owned(), value.into())));
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
