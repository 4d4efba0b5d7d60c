//! The payload of a command: any JSON text, kept byte for byte, small enough for an MQTT message.

use serde_json::value::RawValue;

/// The payload of a command, as the caller wrote it.
#[derive(Clone, Debug)]
pub struct Payload(Box<RawValue>);

/// Why a payload is refused.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// Its request would not fit an MQTT message.
    #[error(
        "a payload must have at most {max} bytes, so that its request fits an MQTT message: it has {found}",
        max = Payload::MAX_BYTES
    )]
    TooLarge {
        /// Its size in bytes.
        found: usize,
    },
    /// The text is not JSON.
    #[error("a payload must be JSON")]
    NotJson(#[source] serde_json::Error),
}

impl Payload {
    /// 126 KiB. AWS IoT takes messages of 128 KiB; the other fields of a request have less than 2 KiB.
    pub const MAX_BYTES: usize = 126 * 1024;

    /// Parses a payload.
    ///
    /// # Errors
    /// [`PayloadError`] where the text is too large or is not JSON.
    pub fn parse(json: &str) -> Result<Self, PayloadError> {
        match json.len() {
            0..=Self::MAX_BYTES => {
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
    fn json_text_is_kept_unchanged() {
        for json in ["null", "1.50", r#"{"b":1, "a":[true]}"#, r#""\u00e9""#] {
            assert_eq!(Payload::parse(json).unwrap().as_json().get(), json);
        }
        assert!(matches!(Payload::parse("{"), Err(PayloadError::NotJson(_))));
        assert!(matches!(Payload::parse(""), Err(PayloadError::NotJson(_))));
    }

    #[test]
    fn payload_over_the_limit_is_refused() {
        let json = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
        assert!(Payload::parse(&json(Payload::MAX_BYTES)).is_ok());
        let error = Payload::parse(&json(Payload::MAX_BYTES + 1)).unwrap_err();
        assert!(error.to_string().contains("at most 129024 bytes"), "{error}");
    }
}
