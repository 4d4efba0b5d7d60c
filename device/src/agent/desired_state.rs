//! Desired states in the classic shadow: the device takes on what `desired` holds, and reports it.

use serde_json::{Map, Value, json};

/// The member that holds commands in the classic shadow, which are no state.
const COMMANDS: &str = "command";

/// A topic of the shadow service, for example for the operation `get/accepted`.
pub(super) fn topic(thing: &str, operation: &str) -> String {
    format!("$aws/things/{thing}/shadow/{operation}")
}

/// What the device has not reported yet, with the version of the shadow. `is_delta`: the message is one on
/// `update/delta`, else it is the whole shadow, on `get/accepted`. `None` if it is no such document.
pub(super) fn read(bytes: &[u8], is_delta: bool) -> Option<(u64, Map<String, Value>)> {
    let mut message: Map<String, Value> = serde_json::from_slice(bytes).ok()?;
    let version = message.get("version")?.as_u64()?;
    let state = message.get_mut("state")?.as_object_mut()?;
    let delta = if is_delta { Some(std::mem::take(state).into()) } else { state.get_mut("delta").map(Value::take) };
    let mut attributes = match delta {
        Some(Value::Object(attributes)) => attributes,
        _ => Map::new(),
    };
    attributes.remove(COMMANDS);
    Some((version, attributes))
}

/// The shadow update that reports these attributes.
pub(super) fn report(attributes: Map<String, Value>) -> Vec<u8> {
    json!({"state": {"reported": attributes}}).to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_reported_is_read_without_commands() {
        let read = |message: &str, is_delta| read(message.as_bytes(), is_delta);
        for (message, is_delta, attributes) in [
            (json!({"state": {"light": "on", "command": []}, "version": 7}), true, json!({"light": "on"})),
            (json!({"state": {"desired": 1}, "version": 7}), true, json!({"desired": 1})),
            (json!({"state": {"desired": {"a": 1}, "delta": {"a": 1}}, "version": 7}), false, json!({"a": 1})),
            (json!({"state": {"desired": {"a": 1}, "reported": {"a": 1}}, "version": 7}), false, json!({})),
            (json!({"state": {"reported": {"a": 1}}, "version": 7}), false, json!({})),
        ] {
            let expected = (7, attributes.as_object().unwrap().clone());
            assert_eq!(read(&message.to_string(), is_delta), Some(expected), "{message}");
        }
        for malformed in ["", "[]", "{}", r#"{"state":{"a":1}}"#, r#"{"state":7,"version":1}"#] {
            assert_eq!((read(malformed, true), read(malformed, false)), (None, None), "{malformed}");
        }
    }
}
