//! Reads requests from the named shadow `cmd`, which holds each in `desired.c.<execution id>`.
//!
//! Reports go to the response topic, not into the shadow.

use serde_json::{Map, Value, json};

const SHADOW_NAME: &str = "cmd";

/// A topic of the shadow service, for example for the operation `get/accepted`.
pub(super) fn topic(thing: &str, operation: &str) -> String {
    format!("$aws/things/{thing}/shadow/name/{SHADOW_NAME}/{operation}")
}

/// The shadow update that declares that the thing takes commands in this shadow, one for each key of `desired.c`.
pub(super) fn declaration() -> Vec<u8> {
    json!({"state": {"reported": {"dialect": "map"}}}).to_string().into_bytes()
}

/// The requests in a message of the shadow service.
pub(super) struct Document {
    pub version: u64,
    /// Each entry with its key, the execution's id.
    pub requests: Vec<(String, Value)>,
    /// Whether the shadow holds the [`declaration`].
    pub is_declared: bool,
}

impl Document {
    /// Reads a message on `get/accepted`: the whole shadow.
    pub fn read_accepted(bytes: &[u8]) -> Option<Self> {
        let mut message = parse_object(bytes)?;
        let version = message.get("version").and_then(Value::as_u64)?;
        let state = message.get_mut("state")?;
        let is_declared = state.pointer("/reported/dialect").is_some_and(|dialect| dialect == "map");
        let requests = state.get_mut("desired").map(take_requests).unwrap_or_default();
        Some(Self { version, requests, is_declared })
    }

    /// Reads a message on `update/delta`. The device reports nothing into `c`, so each delta holds every request.
    pub fn read_delta(bytes: &[u8]) -> Option<Self> {
        let mut message = parse_object(bytes)?;
        let version = message.get("version").and_then(Value::as_u64)?;
        let requests = take_requests(message.get_mut("state")?);
        Some(Self { version, requests, is_declared: true })
    }
}

/// Whether a message on `get/rejected` says that the shadow does not exist.
pub(super) fn is_not_found(bytes: &[u8]) -> bool {
    parse_object(bytes).and_then(|rejection| rejection.get("code")?.as_u64()) == Some(404)
}

fn parse_object(bytes: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice(bytes).ok()
}

fn take_requests(desired: &mut Value) -> Vec<(String, Value)> {
    let Some(Value::Object(entries)) = desired.get_mut("c").map(Value::take) else { return Vec::new() };
    entries.into_iter().filter(|(_, entry)| !entry.is_null()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(document: Option<Document>) -> Vec<String> {
        document.unwrap().requests.into_iter().map(|(id, _)| id).collect()
    }

    #[test]
    fn requests_are_read_from_the_whole_shadow_and_from_a_delta() {
        let whole = br#"{"state":{"desired":{"c":{"e1":{"attempt":1},"gone":null}},"reported":{}},"version":3}"#;
        assert_eq!(ids(Document::read_accepted(whole)), ["e1"]);
        assert_eq!(ids(Document::read_delta(br#"{"state":{"c":{"e2":{}}},"version":4}"#)), ["e2"]);
        assert!(!Document::read_accepted(whole).unwrap().is_declared);
        let declared = br#"{"state":{"reported":{"dialect":"map"}},"version":3}"#;
        assert!(Document::read_accepted(declared).unwrap().is_declared);
    }

    #[test]
    fn malformed_documents_hold_no_requests() {
        for malformed in
            [&b"\xff"[..], b"[]", b"{}", br#"{"state":{}}"#, br#"{"version":1}"#, br#"{"state":{},"version":-1}"#]
        {
            assert!(Document::read_accepted(malformed).is_none() && Document::read_delta(malformed).is_none());
        }
        for state in [r#"{"c":[1]}"#, r#"{"c":null}"#, "{}", "null", "7", r#"{"desired":{"c":"x"}}"#] {
            let text = format!(r#"{{"state":{state},"version":1}}"#);
            assert_eq!(ids(Document::read_accepted(text.as_bytes())), [""; 0], "{state}");
            assert_eq!(ids(Document::read_delta(text.as_bytes())), [""; 0], "{state}");
        }
        assert!(is_not_found(br#"{"code":404,"message":"No shadow exists with name: 'cmd'"}"#));
        assert!(!is_not_found(br#"{"code":403}"#) && !is_not_found(b"404"));
    }
}
