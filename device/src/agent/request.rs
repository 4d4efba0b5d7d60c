//! Reads requests, whichever way they come, and cancels.

use serde::Deserialize;
use serde_json::Value;

use super::id::Id;

/// A request in the envelope that devices get.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    #[serde(flatten)]
    pub id: Id,
    #[serde(default = "first")]
    pub attempt: u32,
    pub command: String,
    #[serde(default)]
    pub payload: Value,
    /// Seconds since 1970: the command may not start at or after this instant.
    pub expires_at: i64,
    /// Seconds between two signs of life while it runs.
    pub heartbeat: Option<u32>,
    pub response_topic: Option<String>,
}

fn first() -> u32 {
    1
}

/// What is no longer wanted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cancel {
    /// One work may have come to this device under either of its names.
    pub ids: Vec<Id>,
    pub attempt: u32,
}

impl Cancel {
    /// `None`: it says nothing that could be acted on.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let envelope: Value = serde_json::from_slice(bytes).ok()?;
        let attempt = match envelope.get("attempt") {
            Some(attempt) => u32::try_from(attempt.as_u64()?).ok()?,
            None => first(),
        };
        let ids: Vec<Id> = Id::all(&envelope).into_iter().flatten().collect();
        (!ids.is_empty()).then_some(Self { ids, attempt })
    }
}

/// Why something is no request.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("larger than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("not a JSON object with an executionId or a commandId")]
    Unreadable,
    /// The envelope is wrong, but it says what it is about, so somebody can be told.
    #[error("{why}")]
    Envelope { id: Id, attempt: u32, response_topic: Option<String>, why: String },
}

impl Request {
    /// The envelope, whatever it holds.
    pub fn envelope(bytes: &[u8], limit: usize) -> Result<Value, Malformed> {
        if bytes.len() > limit {
            return Err(Malformed::TooLarge { limit });
        }
        serde_json::from_slice(bytes).map_err(|_| Malformed::Unreadable)
    }

    /// An entry of the shadow. Its key is the execution's id, whatever else it says.
    pub fn in_shadow(execution_id: String, mut entry: Value) -> Result<Self, Malformed> {
        entry.as_object_mut().ok_or(Malformed::Unreadable)?.insert("executionId".to_owned(), execution_id.into());
        Self::from_value(entry)
    }

    /// A request in its envelope.
    pub fn from_value(mut value: Value) -> Result<Self, Malformed> {
        let id = Id::of(&value).ok_or(Malformed::Unreadable)?;
        if let (Id::ExecutionId(_), Some(object)) = (&id, value.as_object_mut()) {
            object.remove("commandId");
        }
        let attempt = value.get("attempt").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok()).unwrap_or(1);
        let response_topic = value.get("responseTopic").and_then(Value::as_str).map(str::to_owned);
        let wrong = |why: String| Malformed::Envelope { id, attempt, response_topic, why };
        match serde_json::from_value::<Self>(value) {
            Ok(request) if request.attempt == 0 => Err(wrong("attempt counts from 1".to_owned())),
            Ok(request) if request.command.is_empty() => Err(wrong("command is empty".to_owned())),
            Ok(request) => Ok(request),
            Err(error) => Err(wrong(error.to_string())),
        }
    }

    pub fn expires_at_ms(&self) -> i64 {
        self.expires_at.saturating_mul(1000)
    }

    /// `None` when no heartbeat was asked for.
    pub fn heartbeat_ms(&self) -> Option<i64> {
        self.heartbeat.filter(|s| *s > 0).map(|s| i64::from(s) * 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Request, Malformed> {
        Request::envelope(text.as_bytes(), 1024).and_then(Request::from_value)
    }

    #[test]
    fn only_heartbeat_payload_and_the_answers_topic_may_be_missing() {
        let request =
            read(r#"{"executionId":"e1","command":"reboot","expiresAt":10,"attempt":2,"later":true}"#).unwrap();
        assert_eq!((request.attempt, request.payload, request.heartbeat), (2, Value::Null, None));
    }

    #[test]
    fn what_names_no_execution_cannot_be_answered() {
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
            assert_eq!(read(text), Err(Malformed::Unreadable), "{text}");
        }
        assert_eq!(Request::envelope(&[0xff; 8], 1024), Err(Malformed::Unreadable));
        assert_eq!(Request::envelope(&[b' '; 9], 8), Err(Malformed::TooLarge { limit: 8 }));
    }

    #[test]
    fn a_cancel_needs_an_id_and_nothing_else() {
        let cancel = |text: &str| Cancel::read(text.as_bytes()).map(|c| (c.ids, c.attempt));
        let (execution, command) = (Id::ExecutionId("e1".to_owned()), Id::CommandId("c1".to_owned()));
        let both = vec![execution.clone(), command.clone()];
        assert_eq!(cancel(r#"{"executionId":"e1","attempt":2,"more":[]}"#), Some((vec![execution], 2)));
        assert_eq!(cancel(r#"{"commandId":"c1"}"#), Some((vec![command], 1)));
        assert_eq!(cancel(r#"{"commandId":"c1","executionId":"e1"}"#), Some((both, 1)));
        for text in ["", "e1", "{}", r#"{"executionId":"a b"}"#, r#"{"executionId":"e1","attempt":-1}"#] {
            assert_eq!(cancel(text), None, "{text}");
        }
    }

    #[test]
    fn an_execution_is_named_more_precisely_than_a_command() {
        let id = |ids: &str| read(&format!(r#"{{{ids},"command":"reboot","expiresAt":10}}"#)).map(|request| request.id);
        assert_eq!(id(r#""commandId":"c1""#), Ok(Id::CommandId("c1".to_owned())));
        assert_eq!(id(r#""commandId":"c1","executionId":"e1""#), Ok(Id::ExecutionId("e1".to_owned())));
        assert_eq!(id(r#""commandId":"c1","executionId":7"#), Ok(Id::CommandId("c1".to_owned())));
        assert_eq!(id(r#""commandId":"c/1""#), Err(Malformed::Unreadable));
    }

    #[test]
    fn an_entry_of_the_shadow_is_known_by_its_key() {
        let entry = serde_json::json!({"executionId": "other", "command": "reboot", "expiresAt": 10});
        assert_eq!(Request::in_shadow("e1".to_owned(), entry.clone()).unwrap().id.as_str(), "e1");
        assert_eq!(Request::in_shadow("e/1".to_owned(), entry), Err(Malformed::Unreadable));
        assert_eq!(Request::in_shadow("e1".to_owned(), Value::from(7)), Err(Malformed::Unreadable));
    }

    #[test]
    fn a_wrong_envelope_says_what_is_wrong_with_it() {
        for (text, part) in [
            (r#"{"executionId":"e1","expiresAt":10}"#, "command"),
            (r#"{"executionId":"e1","command":"","expiresAt":10}"#, "command"),
            (r#"{"executionId":"e1","command":"a"}"#, "expiresAt"),
            (r#"{"executionId":"e1","command":"a","expiresAt":"soon"}"#, "soon"),
            (r#"{"executionId":"e1","command":"a","expiresAt":10,"attempt":0}"#, "attempt"),
            (r#"{"executionId":"e1","command":"a","expiresAt":10,"heartbeat":-1}"#, "-1"),
        ] {
            match read(text) {
                Err(Malformed::Envelope { id, why, .. }) => {
                    assert_eq!(id.as_str(), "e1");
                    assert!(why.contains(part), "{why}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}
