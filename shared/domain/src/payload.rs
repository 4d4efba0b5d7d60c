//! What a command carries: any JSON, untouched, small enough that its request can be published.

use serde_json::value::RawValue;

/// The payload of a command, as the caller wrote it.
#[derive(Clone, Debug)]
pub struct Payload(Box<RawValue>);

/// Why a payload is refused.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// Its request could not be published.
    #[error("a payload must have at most {largest} bytes, so that its request fits an MQTT message: it has {found}", largest = Payload::LARGEST)]
    TooLarge {
        /// Its size in bytes.
        found: usize,
    },
    /// It is not JSON.
    #[error("a payload must be JSON")]
    NotJson(#[source] serde_json::Error),
}

impl Payload {
    /// AWS IoT takes messages of 128 KB; what a request has around its payload stays below 2 KB.
    pub const LARGEST: usize = 126 * 1024;

    /// The payload, if it is one.
    pub fn parse(json: &str) -> Result<Self, PayloadError> {
        match json.len() {
            0..=Self::LARGEST => {
                serde_json::from_str(json).map(|raw: &RawValue| Self(raw.to_owned())).map_err(PayloadError::NotJson)
            }
            found => Err(PayloadError::TooLarge { found }),
        }
    }

    /// The JSON text.
    pub fn as_json(&self) -> &RawValue {
        &self.0
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

impl Eq for Payload {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_json_is_kept_as_it_is() {
        for json in ["null", "1.50", r#"{"b":1, "a":[true]}"#, r#""\u00e9""#] {
            assert_eq!(Payload::parse(json).unwrap().as_json().get(), json);
        }
        assert!(matches!(Payload::parse("{"), Err(PayloadError::NotJson(_))));
        assert!(matches!(Payload::parse(""), Err(PayloadError::NotJson(_))));
    }

    #[test]
    fn the_largest_payload_is_one_and_no_larger() {
        let json = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
        assert!(Payload::parse(&json(Payload::LARGEST)).is_ok());
        let error = Payload::parse(&json(Payload::LARGEST + 1)).unwrap_err();
        assert!(error.to_string().contains("at most 129024 bytes"), "{error}");
    }
}
