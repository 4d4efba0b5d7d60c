//! Delays broadcasts, each thing by another time, so that a group does not report in the same second.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::id::Id;
use crate::random::Random;

/// Time kept free between the delayed start and the expiry, in milliseconds: for a device that reads its clock at
/// intervals, and for the report to arrive.
const EXPIRY_MARGIN_MS: i64 = 2_000;

/// A broadcast that is handled at `due_ms`, as if it arrived then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DelayedBroadcast {
    due_ms: i64,
    envelope: Value,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct DelayedBroadcasts(Vec<DelayedBroadcast>);

impl DelayedBroadcasts {
    /// Keeps a message for later if it is a broadcast with a `spread`. Returns `false` for other messages, and for a
    /// broadcast that exceeds `capacity`: they are to be handled at once.
    pub fn delay(&mut self, thing: &str, envelope: &Value, capacity: usize, now_ms: i64) -> bool {
        // A repeated message keeps the time that it has.
        if self.0.iter().any(|delayed| delayed.envelope == *envelope) {
            return true;
        }
        match due_at(thing, envelope, now_ms) {
            Some(due_ms) if self.0.len() < capacity => {
                self.0.push(DelayedBroadcast { due_ms, envelope: envelope.clone() });
                true
            }
            _ => false,
        }
    }

    /// Removes and returns the broadcasts that are due.
    pub fn take_due(&mut self, now_ms: i64) -> Vec<Value> {
        let (due, later) = std::mem::take(&mut self.0).into_iter().partition(|delayed| delayed.due_ms <= now_ms);
        self.0 = later;
        let due: Vec<DelayedBroadcast> = due;
        due.into_iter().map(|delayed| delayed.envelope).collect()
    }

    pub fn next_due_ms(&self) -> Option<i64> {
        self.0.iter().map(|delayed| delayed.due_ms).min()
    }
}

/// When a broadcast is handled; `None` means at once. The delay is a hash of the thing's name and the command's id,
/// scaled to `spread`: even over a fleet, different for each command, and the same when the message arrives again.
fn due_at(thing: &str, envelope: &Value, now_ms: i64) -> Option<i64> {
    let Some(Id::CommandId(id)) = Id::from_envelope(envelope) else { return None };
    // The cast saturates.
    let spread_ms = (envelope.get("spread")?.as_f64()? * 1_000.0) as i64;
    let expires_at_ms = envelope.get("expiresAt").and_then(Value::as_i64).map_or(now_ms, |at| at.saturating_mul(1_000));
    let longest_ms = match expires_at_ms.saturating_sub(now_ms) {
        // Expired: its refusal may be spread as well.
        ..=0 => spread_ms,
        left_ms => spread_ms.min(left_ms.saturating_sub(EXPIRY_MARGIN_MS)),
    };
    let delay_ms = (longest_ms as f64 * Random::new(0, &format!("{thing}/{id}")).fraction()) as i64;
    (delay_ms > 0).then(|| now_ms.saturating_add(delay_ms))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn delays(spread: Value, expires_at: Value) -> Vec<i64> {
        let envelope = json!({"commandId": "c1", "spread": spread, "expiresAt": expires_at});
        let delay = |n| due_at(&format!("pump-{n}"), &envelope, 1_000_000).map_or(0, |at| at - 1_000_000);
        (0..1_000).map(delay).collect()
    }

    #[test]
    fn delays_of_a_fleet_are_spread_evenly() {
        let delays = delays(json!(60), json!(10_000));
        assert!(delays.iter().all(|delay| (0..60_000).contains(delay)));
        for sixth in 0..6 {
            let count = delays.iter().filter(|delay| **delay / 10_000 == sixth).count();
            assert!((110..230).contains(&count), "{count} of 1,000 in a sixth of the time");
        }
    }

    #[test]
    fn delay_is_the_same_for_a_repeated_message_and_differs_between_commands() {
        let of = |command| due_at("pump-7", &json!({"commandId": command, "spread": 60, "expiresAt": 10_000}), 0);
        assert_eq!(of("c1"), of("c1"));
        assert_ne!(of("c1"), of("c2"));
    }

    #[test]
    fn delay_ends_before_the_expiry() {
        assert!(delays(json!(60), json!(1_010)).iter().all(|delay| *delay < 8_000));
        assert!(delays(json!(60), json!(1_010)).iter().any(|delay| *delay > 7_000));
        assert!(delays(json!(60), json!(1_002)).iter().all(|delay| *delay == 0));
        assert!(delays(json!(60), json!(999)).iter().any(|delay| *delay > 50_000), "expired already");
    }

    #[test]
    fn invalid_spread_is_no_delay() {
        for spread in [json!(null), json!("60"), json!(-60), json!(0), json!([60])] {
            assert!(delays(spread.clone(), json!(10_000)).iter().all(|delay| *delay == 0), "{spread}");
        }
        let for_one_thing = json!({"executionId": "e1", "commandId": "c1", "spread": 60, "expiresAt": 10});
        assert_eq!(due_at("pump-7", &for_one_thing, 0), None);
        let extreme = json!({"commandId": "c1", "spread": 1e300, "expiresAt": i64::MAX});
        assert!(due_at("pump-7", &extreme, i64::MAX - 1).is_none_or(|at| at == i64::MAX));
        assert!(due_at("pump-7", &extreme, i64::MIN).is_some());
    }
}
