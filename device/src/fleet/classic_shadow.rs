//! The classic (unnamed) shadow of a simulated thing, which follows trimmed messages as a constrained device does.

use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The topic of the shadow service's own delta messages. A simulated thing only counts them.
pub(super) fn delta_topic(thing: &str) -> String {
    format!("$aws/things/{thing}/shadow/update/delta")
}

/// The topic of trimmed messages.
pub(super) fn trimmed_topic(thing: &str) -> String {
    format!("things/{thing}/shadow/trimmed/update")
}

/// The topic of shadow updates.
pub(super) fn update_topic(thing: &str) -> String {
    format!("$aws/things/{thing}/shadow/update")
}

#[derive(Deserialize)]
struct TrimmedDelta {
    state: Map<String, Value>,
    #[serde(default)]
    version: u64,
}

/// The state of a thing's shadow, as far as the thing keeps it.
#[derive(Debug, Default)]
pub(crate) struct ClassicShadow {
    /// The version of the newest delta that was applied.
    version: u64,
}

impl ClassicShadow {
    /// The update that a thing publishes on its first connection: the state of a small pump.
    pub fn first_update(&self) -> Vec<u8> {
        let reported = json!({"firmware": "1.4.2", "pump": {"on": false, "rpm": 0}, "report": {"every": 60}});
        json!({"state": {"reported": reported}}).to_string().into_bytes()
    }

    /// Applies a trimmed delta, and returns the update that reports it. `None` when the message is outdated or
    /// malformed.
    pub fn apply_trimmed(&mut self, payload: &[u8]) -> Option<Vec<u8>> {
        let delta: TrimmedDelta = serde_json::from_slice(payload).ok()?;
        if delta.version <= self.version {
            return None;
        }
        self.version = delta.version;
        Some(json!({"state": {"reported": delta.state}}).to_string().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delta_is_reported_once_and_an_older_one_never() {
        let mut shadow = ClassicShadow::default();
        let delta = br#"{"state":{"pump":{"on":true}},"version":7}"#;
        let update = shadow.apply_trimmed(delta).unwrap();
        assert_eq!(
            serde_json::from_slice::<Value>(&update).unwrap(),
            json!({"state": {"reported": {"pump": {"on": true}}}})
        );
        assert_eq!(shadow.apply_trimmed(delta), None);
        assert_eq!(shadow.apply_trimmed(br#"{"state":{"a":1},"version":6}"#), None);
        assert_eq!(shadow.apply_trimmed(b"\xff"), None);
    }
}
