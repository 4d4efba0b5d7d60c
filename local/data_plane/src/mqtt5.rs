//! The MQTT 5 properties of an HTTP request, and user properties as JSON.

use axum::http::HeaderMap;
use bytes::Bytes;
use data_encoding::BASE64;
use local_broker::Properties;
use serde_json::{Map, Value, json};

use super::error::ApiError;
use super::request::{Query, check_topic};

const USER: &str = "x-amz-mqtt5-user-properties";
const FORMAT: &str = "x-amz-mqtt5-payload-format-indicator";
const CORRELATION: &str = "x-amz-mqtt5-correlation-data";

/// Reads the message properties from query and headers.
pub(super) fn properties(query: &Query, headers: &HeaderMap) -> Result<Properties, ApiError> {
    let response_topic = query.text("responseTopic").map(str::to_owned);
    response_topic.as_deref().map_or(Ok(()), |topic| check_topic("responseTopic", topic))?;
    Ok(Properties {
        content_type: query.text("contentType").map(str::to_owned),
        response_topic,
        correlation_data: base64(headers, CORRELATION)?.map(Bytes::from),
        message_expiry_s: query.number("messageExpiry", 0, u32::MAX)?,
        utf8: is_utf8(headers)?,
        user: base64(headers, USER)?.map_or(Ok(Vec::new()), |json| user_properties_from_json(&json))?,
    })
}

fn is_utf8(headers: &HeaderMap) -> Result<bool, ApiError> {
    match headers.get(FORMAT).map(|value| value.as_bytes()) {
        None | Some(b"UNSPECIFIED_BYTES") => Ok(false),
        Some(b"UTF8_DATA") => Ok(true),
        Some(_) => Err(ApiError::invalid(format!("{FORMAT} must be UNSPECIFIED_BYTES or UTF8_DATA"))),
    }
}

fn base64(headers: &HeaderMap, name: &str) -> Result<Option<Vec<u8>>, ApiError> {
    let decoded = headers.get(name).map(|value| BASE64.decode(value.as_bytes()));
    decoded.transpose().map_err(|error| ApiError::invalid(format!("{name} is not base64: {error}")))
}

/// Reads `[{"name":"value"},...]`, also as a JSON string: botocore encodes the caller's JSON text once more.
fn user_properties_from_json(json: &[u8]) -> Result<Vec<(String, String)>, ApiError> {
    let not_json = |error| ApiError::invalid(format!("{USER} is not an array of objects of strings: {error}"));
    let list: Vec<Map<String, Value>> = match serde_json::from_slice(json).map_err(not_json)? {
        Value::String(inner) => serde_json::from_str(&inner).map_err(not_json)?,
        list => serde_json::from_value(list).map_err(not_json)?,
    };
    let pairs = list.into_iter().flatten().map(|(name, value)| match value {
        Value::String(value) => Ok((name, value)),
        _ => Err(ApiError::invalid(format!("{USER}: the value of {name:?} is not a string"))),
    });
    pairs.collect()
}

/// `[{"name":"value"},...]` in base64; `None` without properties.
pub(super) fn user_properties_to_base64(user: &[(String, String)]) -> Option<String> {
    let list: Vec<Value> = user.iter().map(|(name, value)| json!({ name: value })).collect();
    (!list.is_empty()).then(|| BASE64.encode(json!(list).to_string().as_bytes()))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        [(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())].into_iter().collect()
    }

    #[test]
    fn user_properties_may_be_encoded_once_or_twice() {
        let list = r#"[{"b":"1"},{"a":"2"},{"b":"3"}]"#;
        let expected = [("b", "1"), ("a", "2"), ("b", "3")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        for json in [list.to_owned(), Value::from(list).to_string()] {
            let properties = properties(&Query::default(), &headers(USER, &BASE64.encode(json.as_bytes()))).unwrap();
            assert_eq!(properties.user, expected);
        }
        assert_eq!(user_properties_to_base64(&expected), Some(BASE64.encode(list.as_bytes())));
        assert_eq!(user_properties_to_base64(&[]), None);
    }

    #[test]
    fn invalid_headers_are_refused() {
        for json in ["not json", "7", "{}", r#"["a"]"#, r#"[{"a":1}]"#, r#""[""#] {
            assert!(properties(&Query::default(), &headers(USER, &BASE64.encode(json.as_bytes()))).is_err(), "{json}");
        }
        assert!(properties(&Query::default(), &headers(USER, "%%%")).is_err());
        assert!(properties(&Query::default(), &headers(CORRELATION, "a")).is_err());
        assert!(properties(&Query::default(), &headers(FORMAT, "UTF9")).is_err());
    }
}
