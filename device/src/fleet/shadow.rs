//! The shadow of a simulated thing, which listens to the trimmed messages only, as a constrained device would.

use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Where the original messages arrive; only counted.
pub(crate) fn delta_topic(thing: &str) -> String {
    format!("$aws/things/{thing}/shadow/update/delta")
}

/// Where the trimmed messages arrive.
pub(crate) fn trimmed_topic(thing: &str) -> String {
    format!("things/{thing}/shadow/trimmed/update")
}

/// Where reports go.
pub(crate) fn update_topic(thing: &str) -> String {
    format!("$aws/things/{thing}/shadow/update")
}

#[derive(Deserialize)]
struct Trimmed {
    state: Map<String, Value>,
    #[serde(default)]
    version: u64,
}

/// What a thing reports, and the newest wish that it has followed.
#[derive(Debug, Default)]
pub(crate) struct Shadow {
    version: u64,
}

impl Shadow {
    /// The first report: what a small pump has to say.
    pub fn first_report(&self) -> Vec<u8> {
        let reported = json!({"firmware": "1.4.2", "pump": {"on": false, "rpm": 0}, "report": {"every": 60}});
        json!({"state": {"reported": reported}}).to_string().into_bytes()
    }

    /// The report that follows a trimmed delta. `None` for what is old, or no delta.
    pub fn on_trimmed(&mut self, payload: &[u8]) -> Option<Vec<u8>> {
        let trimmed: Trimmed = serde_json::from_slice(payload).ok()?;
        if trimmed.version <= self.version {
            return None;
        }
        self.version = trimmed.version;
        Some(json!({"state": {"reported": trimmed.state}}).to_string().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_followed_once_and_an_older_one_never() {
        let mut shadow = Shadow::default();
        let wish = br#"{"state":{"pump":{"on":true}},"version":7}"#;
        let report = shadow.on_trimmed(wish).unwrap();
        assert_eq!(
            serde_json::from_slice::<Value>(&report).unwrap(),
            json!({"state": {"reported": {"pump": {"on": true}}}})
        );
        assert_eq!(shadow.on_trimmed(wish), None);
        assert_eq!(shadow.on_trimmed(br#"{"state":{"a":1},"version":6}"#), None);
        assert_eq!(shadow.on_trimmed(b"\xff"), None);
    }
}
