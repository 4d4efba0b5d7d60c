//! Reads requests: messages, and entries of the shadow, that ask for a command to run.

use serde::Deserialize;
use serde_json::Value;

use super::id::Id;

/// A valid request.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    #[serde(flatten)]
    pub id: Id,
    /// From 1.
    #[serde(default = "first_attempt")]
    pub attempt: u32,
    pub command: String,
    #[serde(default)]
    pub payload: Value,
    /// The command may not start at or after this time, in seconds since 1970-01-01 UTC.
    pub expires_at: i64,
    /// Seconds between two heartbeats while the command runs; none or 0 means no heartbeats.
    pub heartbeat: Option<u32>,
    pub response_topic: Option<String>,
}

fn first_attempt() -> u32 {
    1
}

/// The reason why a message or an entry of the shadow is not a valid request.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(super) enum RequestError {
    #[error("the request is larger than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("the request is not a JSON object with an executionId or a commandId")]
    Unreadable,
    /// The request names its execution, so it can be rejected with a report.
    #[error("{detail}")]
    Malformed { id: Id, attempt: u32, response_topic: Option<String>, detail: String },
}

impl Request {
    /// The JSON of a message that is not larger than `max_bytes`; its fields are not checked.
    pub fn read_envelope(bytes: &[u8], max_bytes: usize) -> Result<Value, RequestError> {
        if bytes.len() > max_bytes {
            return Err(RequestError::TooLarge { limit: max_bytes });
        }
        serde_json::from_slice(bytes).map_err(|_| RequestError::Unreadable)
    }

    /// A request from an entry of the shadow. The entry's key is the execution's id, and overrides an id in the entry.
    pub fn from_shadow_entry(execution_id: String, mut entry: Value) -> Result<Self, RequestError> {
        entry.as_object_mut().ok_or(RequestError::Unreadable)?.insert("executionId".to_owned(), execution_id.into());
        Self::from_envelope(entry)
    }

    /// A request from the JSON of a message.
    pub fn from_envelope(mut envelope: Value) -> Result<Self, RequestError> {
        let id = Id::from_envelope(&envelope).ok_or(RequestError::Unreadable)?;
        if let (Id::ExecutionId(_), Some(object)) = (&id, envelope.as_object_mut()) {
            object.remove("commandId");
        }
        let attempt = envelope.get("attempt").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok()).unwrap_or(1);
        let response_topic = envelope.get("responseTopic").and_then(Value::as_str).map(str::to_owned);
        let malformed = |detail: String| RequestError::Malformed { id, attempt, response_topic, detail };
        match serde_json::from_value::<Self>(envelope) {
            Ok(request) if request.attempt == 0 => Err(malformed("attempt is 0, and counts from 1".to_owned())),
            Ok(request) if request.command.is_empty() => Err(malformed("command is empty".to_owned())),
            Ok(request) => Ok(request),
            Err(error) => Err(malformed(error.to_string())),
        }
    }

    pub fn expires_at_ms(&self) -> i64 {
        self.expires_at.saturating_mul(1000)
    }

    /// The interval between heartbeats; `None` when none are requested.
    pub fn heartbeat_ms(&self) -> Option<i64> {
        self.heartbeat.filter(|seconds| *seconds > 0).map(|seconds| i64::from(seconds) * 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Request, RequestError> {
        Request::read_envelope(text.as_bytes(), 1024).and_then(Request::from_envelope)
    }

    #[test]
    fn heartbeat_payload_and_response_topic_are_optional() {
        let request =
            read(r#"{"executionId":"e1","command":"reboot","expiresAt":10,"attempt":2,"later":true}"#).unwrap();
        assert_eq!((request.attempt, request.payload, request.heartbeat), (2, Value::Null, None));
    }

    #[test]
    fn message_without_a_valid_id_is_unreadable() {
        let deep = "[".repeat(500);
        for text in [
            "",
            "reboot",
            "[]",
            "{}",
            "{\"executionId\":7}",
            "{\"executionId\":\"\"}",
            &deep,
            "{\"executionId\":\"a/b\"}",
        ] {
            assert_eq!(read(text), Err(RequestError::Unreadable), "{text}");
        }
        assert_eq!(Request::read_envelope(&[0xff; 8], 1024), Err(RequestError::Unreadable));
        assert_eq!(Request::read_envelope(&[b' '; 9], 8), Err(RequestError::TooLarge { limit: 8 }));
    }

    #[test]
    fn execution_id_wins_over_command_id() {
        let id = |ids: &str| read(&format!(r#"{{{ids},"command":"reboot","expiresAt":10}}"#)).map(|request| request.id);
        assert_eq!(id(r#""commandId":"c1""#), Ok(Id::CommandId("c1".to_owned())));
        assert_eq!(id(r#""commandId":"c1","executionId":"e1""#), Ok(Id::ExecutionId("e1".to_owned())));
        assert_eq!(id(r#""commandId":"c1","executionId":7"#), Ok(Id::CommandId("c1".to_owned())));
        assert_eq!(id(r#""commandId":"c/1""#), Err(RequestError::Unreadable));
    }

    #[test]
    fn key_of_a_shadow_entry_overrides_the_id_in_it() {
        let entry = serde_json::json!({"executionId": "other", "command": "reboot", "expiresAt": 10});
        assert_eq!(Request::from_shadow_entry("e1".to_owned(), entry.clone()).unwrap().id.as_str(), "e1");
        assert_eq!(Request::from_shadow_entry("e/1".to_owned(), entry), Err(RequestError::Unreadable));
        assert_eq!(Request::from_shadow_entry("e1".to_owned(), Value::from(7)), Err(RequestError::Unreadable));
    }

    #[test]
    fn malformed_request_is_an_error_that_names_the_field() {
        for (text, part) in [
            (r#"{"executionId":"e1","expiresAt":10}"#, "command"),
            (r#"{"executionId":"e1","command":"","expiresAt":10}"#, "command"),
            (r#"{"executionId":"e1","command":"a"}"#, "expiresAt"),
            (r#"{"executionId":"e1","command":"a","expiresAt":"soon"}"#, "soon"),
            (r#"{"executionId":"e1","command":"a","expiresAt":10,"attempt":0}"#, "attempt"),
            (r#"{"executionId":"e1","command":"a","expiresAt":10,"heartbeat":-1}"#, "-1"),
        ] {
            match read(text) {
                Err(RequestError::Malformed { id, detail, .. }) => {
                    assert_eq!(id.as_str(), "e1");
                    assert!(detail.contains(part), "{detail}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}
