//! Conversion of function results to HTTP responses, with the rules of API Gateway.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, SET_COOKIE};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use data_encoding::BASE64;
use local_lambda::InvokeOutcome;
use serde_json::{Map, Value, json};

/// Reason why a function result is not a valid response.
#[derive(Debug, thiserror::Error)]
pub(super) enum InvalidResponse {
    #[error("the function failed: {0}")]
    Failed(String),
    #[error("the function's response is not JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the function's response has no valid {0}")]
    Field(&'static str),
    #[error("the function's response has a body that is not base64: {0}")]
    Base64(#[from] data_encoding::DecodeError),
    #[error("the function's response has an invalid header: {0}")]
    Header(#[from] axum::http::Error),
}

/// A response of API Gateway itself.
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

pub(super) fn from_outcome(outcome: &InvokeOutcome) -> Result<Response<Body>, InvalidResponse> {
    if outcome.error.is_some() {
        return Err(InvalidResponse::Failed(String::from_utf8_lossy(&outcome.payload).into_owned()));
    }
    match serde_json::from_slice(&outcome.payload)? {
        Value::Object(answer) if answer.contains_key("statusCode") => from_answer(&answer),
        // Without a status code, the whole result is the body; a JSON string is unquoted.
        Value::String(text) => json_response(Body::from(text)),
        _ => json_response(Body::from(outcome.payload.clone())),
    }
}

fn json_response(body: Body) -> Result<Response<Body>, InvalidResponse> {
    Ok(Response::builder().header(CONTENT_TYPE, "application/json").body(body)?)
}

fn from_answer(answer: &Map<String, Value>) -> Result<Response<Body>, InvalidResponse> {
    let status = match answer.get("statusCode") {
        Some(Value::Number(status)) => status.as_u64().and_then(|status| u16::try_from(status).ok()),
        Some(Value::String(status)) => status.parse().ok(),
        _ => None,
    };
    let status = status.and_then(|status| StatusCode::from_u16(status).ok());
    // An informational response cannot be a final one.
    let status = status.filter(|status| !status.is_informational()).ok_or(InvalidResponse::Field("statusCode"))?;
    let encoded = is_base64(answer)?;
    let body = match answer.get("body") {
        None | Some(Value::Null) => Body::empty(),
        Some(Value::String(body)) if encoded => Body::from(BASE64.decode(body.as_bytes())?),
        Some(Value::String(body)) => Body::from(body.clone()),
        Some(_) => return Err(InvalidResponse::Field("body")),
    };
    let mut response = Response::builder().status(status).body(body)?;
    let target = response.headers_mut();
    for (name, value) in fields(answer)? {
        let name = HeaderName::try_from(name).map_err(axum::http::Error::from)?;
        // The length is that of the body; a value from the function is ignored.
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

fn is_base64(answer: &Map<String, Value>) -> Result<bool, InvalidResponse> {
    match answer.get("isBase64Encoded") {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(encoded)) => Ok(*encoded),
        Some(_) => Err(InvalidResponse::Field("isBase64Encoded")),
    }
}

fn fields(answer: &Map<String, Value>) -> Result<Vec<(&String, &Value)>, InvalidResponse> {
    match answer.get("headers") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Object(headers)) => Ok(headers.iter().collect()),
        Some(_) => Err(InvalidResponse::Field("headers")),
    }
}

fn cookies(answer: &Map<String, Value>) -> Result<&[Value], InvalidResponse> {
    match answer.get("cookies") {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(cookies)) => Ok(cookies),
        Some(_) => Err(InvalidResponse::Field("cookies")),
    }
}

fn text(value: &Value) -> Result<String, InvalidResponse> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        _ => Err(InvalidResponse::Field("headers")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answered(payload: &str) -> InvokeOutcome {
        InvokeOutcome { payload: payload.to_owned().into(), error: None }
    }

    async fn read(payload: &str) -> (u16, Vec<String>, String) {
        let response = from_outcome(&answered(payload)).expect("well-formed");
        let header = |(name, value): (&HeaderName, &HeaderValue)| format!("{name}: {}", value.to_str().expect("text"));
        let mut headers: Vec<_> = response.headers().iter().map(header).collect();
        headers.sort();
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        (status, headers, String::from_utf8(body.to_vec()).expect("text"))
    }

    #[tokio::test]
    async fn a_result_with_a_status_code_sets_status_headers_cookies_and_body() {
        let answer = r#"{"statusCode":202,"headers":{"Location":"/commands/1","content-type":"application/json",
            "x-count":2,"content-length":"99"},"cookies":["a=1","b=2"],"body":"e30=","isBase64Encoded":true}"#;
        let headers = [
            "content-type: application/json",
            "location: /commands/1",
            "set-cookie: a=1",
            "set-cookie: b=2",
            "x-count: 2",
        ];
        assert_eq!(read(answer).await, (202, headers.map(str::to_owned).to_vec(), "{}".to_owned()));
        let plain = vec!["content-type: text/plain;charset=UTF-8".to_owned()];
        assert_eq!(read(r#"{"statusCode":"404"}"#).await, (404, plain.clone(), String::new()));
        let nulls = r#"{"statusCode":200,"headers":null,"cookies":null,"body":null,"isBase64Encoded":null}"#;
        assert_eq!(read(nulls).await, (200, plain, String::new()));
    }

    #[tokio::test]
    async fn a_result_without_a_status_code_is_the_body() {
        let json = vec!["content-type: application/json".to_owned()];
        for (payload, body) in [(r#"{"a":1}"#, r#"{"a":1}"#), (r#""Hello""#, "Hello"), ("[1]", "[1]"), ("null", "null")]
        {
            assert_eq!(read(payload).await, (200, json.clone(), body.to_owned()));
        }
    }

    #[test]
    fn malformed_responses_are_rejected() {
        for (payload, reason) in [
            ("", "not JSON"),
            ("{", "not JSON"),
            (r#"{"statusCode":"ok"}"#, "statusCode"),
            (r#"{"statusCode":70000}"#, "statusCode"),
            (r#"{"statusCode":101}"#, "statusCode"),
            (r#"{"statusCode":200,"body":{}}"#, "body"),
            (r#"{"statusCode":200,"body":"%","isBase64Encoded":true}"#, "base64"),
            (r#"{"statusCode":200,"isBase64Encoded":"true"}"#, "isBase64Encoded"),
            (r#"{"statusCode":200,"headers":[]}"#, "headers"),
            (r#"{"statusCode":200,"headers":{"a":[]}}"#, "headers"),
            (r#"{"statusCode":200,"headers":{"a b":"c"}}"#, "header"),
            (r#"{"statusCode":200,"headers":{"a":"b\nc"}}"#, "header"),
            (r#"{"statusCode":200,"cookies":"a=1"}"#, "cookies"),
        ] {
            let error = from_outcome(&answered(payload)).expect_err(payload).to_string();
            assert!(error.contains(reason), "{payload}: {error}");
        }
        let failed = InvokeOutcome { error: Some("Unhandled".to_owned()), ..answered("{}") };
        assert!(from_outcome(&failed).is_err());
    }

    proptest! {
        #[test]
        fn no_response_panics(status in any::<i64>(), name in ".{0,8}", value in ".{0,8}") {
            let answer = json!({ "statusCode": status, "headers": { name: value.clone() }, "body": value });
            let _ = from_outcome(&answered(&answer.to_string()));
        }
    }
}
