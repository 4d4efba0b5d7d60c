//! A raw payload: the bytes of a request as the caller gives them, for devices that do not read JSON of ours.

use data_encoding::BASE64;

/// The bytes of a request, and what they are. Nothing of ours is added to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawPayload {
    bytes: Vec<u8>,
    content_type: String,
}

/// Why a raw payload is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RawPayloadError {
    /// The text is not base64.
    #[error("a raw payload must be base64 with its padding, such as \"bGlnaHQ6IG9u\"")]
    NotBase64(#[source] data_encoding::DecodeError),
    /// It does not fit an MQTT message.
    #[error("a raw payload must have at most {max} bytes, as an MQTT message: it has {found}", max = RawPayload::MAX_BYTES)]
    TooLarge {
        /// Its size in bytes.
        found: usize,
    },
    /// The content type is empty, too long, or has other characters than printable ASCII.
    #[error(
        "contentType must have 1 to {max} printable characters of ASCII, such as text/plain",
        max = RawPayload::MAX_CONTENT_TYPE_BYTES
    )]
    ContentType,
}

impl RawPayloadError {
    /// The field that is reported as wrong.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::NotBase64(_) | Self::TooLarge { .. } => "payload",
            Self::ContentType => "contentType",
        }
    }
}

impl RawPayload {
    /// 128 KiB, the largest message of AWS IoT. MQTT 5 counts properties too, which take less than 1 KiB of it: AWS
    /// IoT refuses a request that is over the limit with them.
    pub const MAX_BYTES: usize = 128 * 1024;
    /// The longest content type.
    pub const MAX_CONTENT_TYPE_BYTES: usize = 100;
    /// The content type where the caller names none.
    pub const DEFAULT_CONTENT_TYPE: &'static str = "application/octet-stream";

    /// Parses base64, and a content type.
    ///
    /// # Errors
    /// [`RawPayloadError`] where one of them is malformed or too long.
    pub fn parse(base64: &str, content_type: Option<&str>) -> Result<Self, RawPayloadError> {
        let content_type = content_type.unwrap_or(Self::DEFAULT_CONTENT_TYPE);
        let is_printable = content_type.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if !(1..=Self::MAX_CONTENT_TYPE_BYTES).contains(&content_type.len()) || !is_printable {
            return Err(RawPayloadError::ContentType);
        }
        let bytes = BASE64.decode(base64.as_bytes()).map_err(RawPayloadError::NotBase64)?;
        if bytes.len() > Self::MAX_BYTES {
            return Err(RawPayloadError::TooLarge { found: bytes.len() });
        }
        Ok(Self { bytes, content_type: content_type.to_owned() })
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes in base64.
    pub fn to_base64(&self) -> String {
        BASE64.encode(&self.bytes)
    }

    /// MQTT's content type.
    pub fn content_type(&self) -> &str {
        &self.content_type
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_kept() {
        for bytes in [&b""[..], b"light: on", b"caf\xc3\xa9 \x00\xff"] {
            let payload = RawPayload::parse(&BASE64.encode(bytes), None).unwrap();
            assert_eq!((payload.bytes(), payload.content_type()), (bytes, "application/octet-stream"));
            assert_eq!(RawPayload::parse(&payload.to_base64(), None).as_ref(), Ok(&payload));
        }
    }

    #[test]
    fn what_is_no_base64_or_too_large_is_refused() {
        for text in ["light: on", "bGlnaHQ", "bGlnaHQ6IG9u=", "bGln\naHQ6"] {
            assert_eq!(RawPayload::parse(text, None).map_err(|error| error.field()), Err("payload"), "{text}");
        }
        let of_size = |size: usize| RawPayload::parse(&BASE64.encode(&vec![7; size]), None);
        assert!(of_size(RawPayload::MAX_BYTES).is_ok());
        assert_eq!(of_size(131_073), Err(RawPayloadError::TooLarge { found: 131_073 }));
        for content_type in ["", "text/plain\r\nx: y", "größe", &"x".repeat(101)] {
            let refused = RawPayload::parse("", Some(content_type));
            assert_eq!(refused, Err(RawPayloadError::ContentType), "{content_type}");
        }
        assert!(RawPayload::parse("", Some("text/plain; charset=utf-8")).is_ok());
    }
}
