//! Commands in the named shadow `cmd`: `desired.c.<execution id>` is a request, and is answered as any other.

use serde_json::{Map, Value, json};

/// The shadow's name.
const NAME: &str = "cmd";

/// One of the shadow's topics: `get`, `get/accepted`, `update`, `update/delta` and so on.
pub(crate) fn topic(thing: &str, operation: &str) -> String {
    format!("$aws/things/{thing}/shadow/name/{NAME}/{operation}")
}

/// Says that this thing takes commands in its shadow, and how they are to be written.
pub(crate) fn declaration() -> Vec<u8> {
    json!({"state": {"reported": {"dialect": "map"}}}).to_string().into_bytes()
}

/// What the shadow holds.
pub(crate) struct Document {
    pub version: u64,
    /// Requests, each with its execution id.
    pub requests: Vec<(String, Value)>,
    /// The cloud knows that this thing takes commands here.
    pub declared: bool,
}

impl Document {
    /// The whole shadow, as it was asked for. `None`: that is no shadow.
    pub fn read_accepted(bytes: &[u8]) -> Option<Self> {
        let mut whole = object(bytes)?;
        let version = whole.get("version").and_then(Value::as_u64)?;
        let state = whole.get_mut("state")?;
        let declared = state.pointer("/reported/dialect").is_some_and(|dialect| dialect == "map");
        let requests = state.get_mut("desired").map(requests).unwrap_or_default();
        Some(Self { version, requests, declared })
    }

    /// What is wished, and not reported. As answers go elsewhere, that is everything that is wished.
    pub fn read_delta(bytes: &[u8]) -> Option<Self> {
        let mut whole = object(bytes)?;
        let version = whole.get("version").and_then(Value::as_u64)?;
        let requests = requests(whole.get_mut("state")?);
        Some(Self { version, requests, declared: true })
    }
}

/// Whether the shadow service says that there is no such shadow.
pub(crate) fn is_missing(bytes: &[u8]) -> bool {
    object(bytes).and_then(|refusal| refusal.get("code")?.as_u64()) == Some(404)
}

fn object(bytes: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice(bytes).ok()
}

fn requests(desired: &mut Value) -> Vec<(String, Value)> {
    let Some(Value::Object(wished)) = desired.get_mut("c").map(Value::take) else { return Vec::new() };
    wished.into_iter().filter(|(_, request)| !request.is_null()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(document: Option<Document>) -> Vec<String> {
        document.unwrap().requests.into_iter().map(|(id, _)| id).collect()
    }

    #[test]
    fn requests_are_found_in_both_messages() {
        let whole = br#"{"state":{"desired":{"c":{"e1":{"attempt":1},"gone":null}},"reported":{}},"version":3}"#;
        assert_eq!(ids(Document::read_accepted(whole)), ["e1"]);
        assert_eq!(ids(Document::read_delta(br#"{"state":{"c":{"e2":{}}},"version":4}"#)), ["e2"]);
        assert!(!Document::read_accepted(whole).unwrap().declared);
        let declared = br#"{"state":{"reported":{"dialect":"map"}},"version":3}"#;
        assert!(Document::read_accepted(declared).unwrap().declared);
    }

    #[test]
    fn what_is_odd_holds_no_requests() {
        for odd in
            [&b"\xff"[..], b"[]", b"{}", br#"{"state":{}}"#, br#"{"version":1}"#, br#"{"state":{},"version":-1}"#]
        {
            assert!(Document::read_accepted(odd).is_none() && Document::read_delta(odd).is_none());
        }
        for odd in [r#"{"c":[1]}"#, r#"{"c":null}"#, "{}", "null", "7", r#"{"desired":{"c":"x"}}"#] {
            let text = format!(r#"{{"state":{odd},"version":1}}"#);
            assert_eq!(ids(Document::read_accepted(text.as_bytes())), [""; 0], "{odd}");
            assert_eq!(ids(Document::read_delta(text.as_bytes())), [""; 0], "{odd}");
        }
        assert!(is_missing(br#"{"code":404,"message":"No shadow exists with name: 'cmd'"}"#));
        assert!(!is_missing(br#"{"code":403}"#) && !is_missing(b"404"));
    }
}
