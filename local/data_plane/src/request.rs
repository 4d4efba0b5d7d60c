//! Extractors for the parts of a request: path parameter, query, body.

use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use local_broker::check_client_topic;
use percent_encoding::percent_decode_str;

use super::error::ApiError;

/// Maximum body in bytes: the maximum payload of an MQTT message.
pub(super) const MAX_PAYLOAD_BYTES: usize = 128 * 1024;

/// The path parameter of a route, decoded after the path is split: a topic's slashes arrive as `%2F`.
pub(super) struct PathParameter(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for PathParameter {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let segment = Path::from_request_parts(parts, state).await;
        segment.map(|Path(segment)| Self(segment)).map_err(|error| ApiError::invalid(error.body_text()))
    }
}

/// The query parameters. Of duplicate names, the first one counts.
#[derive(Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    fn parse(query: &str) -> Result<Self, ApiError> {
        let decode = |text: &str| {
            let text = text.replace('+', " ");
            let decoded = percent_decode_str(&text).decode_utf8().map(|text| text.into_owned());
            decoded.map_err(|_| ApiError::invalid(format!("the query parameter {text} is not UTF-8")))
        };
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        });
        pairs.collect::<Result<_, _>>().map(Self)
    }

    /// The value of a parameter.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The value of a Boolean parameter; false if absent.
    pub(super) fn flag(&self, name: &str) -> Result<bool, ApiError> {
        match self.text(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(ApiError::invalid(format!("{name} must be true or false, not {other:?}"))),
        }
    }

    /// The value of an integer parameter from `min` to `max`.
    pub(super) fn number(&self, name: &str, min: u32, max: u32) -> Result<Option<u32>, ApiError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let number = text.parse().ok().filter(|number| (min..=max).contains(number));
        let out_of_range = || ApiError::invalid(format!("{name} must be a number from {min} to {max}, not {text:?}"));
        number.map(Some).ok_or_else(out_of_range)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Self::parse(parts.uri.query().unwrap_or_default())
    }
}

/// Rejects a topic that clients may not publish to. `parameter` names the topic's parameter in the error.
pub(super) fn check_topic(parameter: &str, topic: &str) -> Result<(), ApiError> {
    check_client_topic(topic).map_err(|reason| ApiError::invalid(format!("{parameter} {topic:?}: {reason}")))
}

/// The request body.
pub(super) struct Payload(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for Payload {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        to_bytes(request.into_body(), MAX_PAYLOAD_BYTES).await.map(Self).map_err(|_| ApiError::too_large())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_is_decoded_after_splitting() {
        let query = Query::parse("a=1%262&b=x+y%2B&&c&retain=true&a=9").unwrap();
        assert_eq!(query.text("a"), Some("1&2"));
        assert_eq!(query.text("b"), Some("x y+"));
        assert_eq!(query.text("c"), Some(""));
        assert_eq!(query.text("d"), None);
        assert!(query.flag("retain").unwrap() && !query.flag("absent").unwrap() && query.flag("a").is_err());
        assert_eq!(Query::parse("n=1").unwrap().number("n", 0, 1), Ok(Some(1)));
        for bad in ["n=2", "n=-1", "n=", "n=1.0", "n=99999999999"] {
            assert!(Query::parse(bad).unwrap().number("n", 0, 1).is_err(), "{bad}");
        }
        assert!(Query::parse("a=%ff").is_err());
    }
}
