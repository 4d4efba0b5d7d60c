//! The response that a function's answer stands for, as API Gateway reads it.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, SET_COOKIE};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use data_encoding::BASE64;
use serde_json::{Map, Value, json};

use crate::lambda::Outcome;

/// Why a function's answer is no response.
#[derive(Debug, thiserror::Error)]
pub(super) enum Malformed {
    #[error("the function failed: {0}")]
    Failed(String),
    #[error("the function's answer is not JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the function's answer has no valid {0}")]
    Field(&'static str),
    #[error("the function's answer has a body that is not base64: {0}")]
    Base64(#[from] data_encoding::DecodeError),
    #[error("the function's answer has a bad header: {0}")]
    Header(#[from] axum::http::Error),
}

/// An answer of API Gateway itself.
pub(super) fn message(status: StatusCode) -> Response<Body> {
    let text = match status {
        StatusCode::PAYLOAD_TOO_LARGE => "Request Entity Too Large",
        StatusCode::GATEWAY_TIMEOUT => "Endpoint request timed out",
        _ => status.canonical_reason().unwrap_or_default(),
    };
    let mut response = Response::new(Body::from(json!({ "message": text }).to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

pub(super) fn from_outcome(outcome: &Outcome) -> Result<Response<Body>, Malformed> {
    if outcome.error.is_some() {
        return Err(Malformed::Failed(String::from_utf8_lossy(&outcome.payload).into_owned()));
    }
    match serde_json::from_slice(&outcome.payload)? {
        Value::Object(answer) if answer.contains_key("statusCode") => from_answer(&answer),
        // Without a status code, all of the answer is the body; text stands for itself.
        Value::String(text) => bare(Body::from(text)),
        _ => bare(Body::from(outcome.payload.clone())),
    }
}

fn bare(body: Body) -> Result<Response<Body>, Malformed> {
    Ok(Response::builder().header(CONTENT_TYPE, "application/json").body(body)?)
}

fn from_answer(answer: &Map<String, Value>) -> Result<Response<Body>, Malformed> {
    let status = match answer.get("statusCode") {
        Some(Value::Number(status)) => status.as_u64().and_then(|status| u16::try_from(status).ok()),
        Some(Value::String(status)) => status.parse().ok(),
        _ => None,
    };
    let status = status.and_then(|status| StatusCode::from_u16(status).ok());
    // An informational response cannot be a final one.
    let status = status.filter(|status| !status.is_informational()).ok_or(Malformed::Field("statusCode"))?;
    let body = match answer.get("body") {
        None | Some(Value::Null) => Body::empty(),
        Some(Value::String(body)) if is_base64(answer)? => Body::from(BASE64.decode(body.as_bytes())?),
        Some(Value::String(body)) => Body::from(body.clone()),
        Some(_) => return Err(Malformed::Field("body")),
    };
    let mut response = Response::builder().status(status).body(body)?;
    let target = response.headers_mut();
    for (name, value) in fields(answer)? {
        let name = HeaderName::try_from(name).map_err(axum::http::Error::from)?;
        // The length is that of the body, whatever the function says.
        if name != axum::http::header::CONTENT_LENGTH {
            target.insert(name, HeaderValue::try_from(text(value)?).map_err(axum::http::Error::from)?);
        }
    }
    for cookie in cookies(answer)? {
        target.append(SET_COOKIE, HeaderValue::try_from(text(cookie)?).map_err(axum::http::Error::from)?);
    }
    target.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("text/plain;charset=UTF-8"));
    Ok(response)
}

fn is_base64(answer: &Map<String, Value>) -> Result<bool, Malformed> {
    match answer.get("isBase64Encoded") {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(encoded)) => Ok(*encoded),
        Some(_) => Err(Malformed::Field("isBase64Encoded")),
    }
}

fn fields(answer: &Map<String, Value>) -> Result<Vec<(&String, &Value)>, Malformed> {
    match answer.get("headers") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Object(headers)) => Ok(headers.iter().collect()),
        Some(_) => Err(Malformed::Field("headers")),
    }
}

fn cookies(answer: &Map<String, Value>) -> Result<&[Value], Malformed> {
    match answer.get("cookies") {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(cookies)) => Ok(cookies),
        Some(_) => Err(Malformed::Field("cookies")),
    }
}

fn text(value: &Value) -> Result<String, Malformed> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        _ => Err(Malformed::Field("headers")),
    }
}
