//! Broadcasts that wait for their moment, so that the things of a group do not all answer in the same second.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::id::Id;
use super::request::Request;
use super::{Action, Agent};
use crate::random::Random;

/// Between the moment and the deadline: for a driver that looks at its clock now and then, and for the answer's way.
const MARGIN_MS: i64 = 2_000;

/// A broadcast that is handled later, as if it arrived only then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Held {
    pub at_ms: i64,
    pub envelope: Value,
}

impl Agent {
    /// Whether this is a broadcast that is handled later. When too many wait already, it is handled now.
    pub(super) fn hold(&mut self, envelope: &Value, now_ms: i64) -> bool {
        // A repeated one has its moment already.
        if self.held.iter().any(|held| held.envelope == *envelope) {
            return true;
        }
        match moment(&self.config.thing, envelope, now_ms) {
            Some(at_ms) if self.held.len() < self.config.remember => {
                self.held.push(Held { at_ms, envelope: envelope.clone() });
                true
            }
            _ => false,
        }
    }

    /// Time has passed: broadcasts whose moment has come. Part of [`on_tick`](Self::on_tick), and by itself for a device
    /// without a connection, which works all the same.
    pub fn on_held(&mut self, now_ms: i64) -> Vec<Action> {
        let (due, held) = std::mem::take(&mut self.held).into_iter().partition(|held| held.at_ms <= now_ms);
        self.held = held;
        let due: Vec<Held> = due;
        due.into_iter().flat_map(|held| self.consider(Request::from_value(held.envelope), true, now_ms)).collect()
    }

    /// When the next broadcast's moment comes, in milliseconds since 1970: [`on_held`](Self::on_held) is wanted then.
    pub fn next_held_ms(&self) -> Option<i64> {
        self.held.iter().map(|held| held.at_ms).min()
    }
}

/// When a broadcast is to be handled; `None`: at once. Drawn from the thing's name and the command's id: evenly over a
/// fleet, another one with each command, and the same when the message comes again.
fn moment(thing: &str, envelope: &Value, now_ms: i64) -> Option<i64> {
    let Some(Id::CommandId(id)) = Id::of(envelope) else { return None };
    // Out of range is as far as numbers go.
    let spread_ms = (envelope.get("spread")?.as_f64()? * 1_000.0) as i64;
    let expires_at_ms = envelope.get("expiresAt").and_then(Value::as_i64).map_or(now_ms, |at| at.saturating_mul(1_000));
    let longest_ms = match expires_at_ms.saturating_sub(now_ms) {
        // What must not run any more is not urgent either.
        ..=0 => spread_ms,
        left_ms => spread_ms.min(left_ms.saturating_sub(MARGIN_MS)),
    };
    let delay_ms = (longest_ms as f64 * Random::new(0, &format!("{thing}/{id}")).share()) as i64;
    (delay_ms > 0).then(|| now_ms.saturating_add(delay_ms))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn delays(spread: Value, expires_at: Value) -> Vec<i64> {
        let envelope = json!({"commandId": "c1", "spread": spread, "expiresAt": expires_at});
        let delay = |n| moment(&format!("pump-{n}"), &envelope, 1_000_000).map_or(0, |at| at - 1_000_000);
        (0..1_000).map(delay).collect()
    }

    #[test]
    fn a_fleets_moments_are_spread_evenly() {
        let delays = delays(json!(60), json!(10_000));
        assert!(delays.iter().all(|delay| (0..60_000).contains(delay)));
        for second in 0..6 {
            let count = delays.iter().filter(|delay| **delay / 10_000 == second).count();
            assert!((110..230).contains(&count), "{count} of 1,000 in a sixth of the time");
        }
    }

    #[test]
    fn a_moment_is_the_same_again_and_another_for_another_command() {
        let of = |command| moment("pump-7", &json!({"commandId": command, "spread": 60, "expiresAt": 10_000}), 0);
        assert_eq!(of("c1"), of("c1"));
        assert_ne!(of("c1"), of("c2"));
    }

    #[test]
    fn no_moment_passes_the_deadline() {
        assert!(delays(json!(60), json!(1_010)).iter().all(|delay| *delay < 8_000));
        assert!(delays(json!(60), json!(1_010)).iter().any(|delay| *delay > 7_000));
        assert!(delays(json!(60), json!(1_002)).iter().all(|delay| *delay == 0));
        assert!(delays(json!(60), json!(999)).iter().any(|delay| *delay > 50_000), "it is over anyway");
    }

    #[test]
    fn what_is_odd_is_handled_at_once() {
        for spread in [json!(null), json!("60"), json!(-60), json!(0), json!([60])] {
            assert!(delays(spread.clone(), json!(10_000)).iter().all(|delay| *delay == 0), "{spread}");
        }
        let odd = json!({"executionId": "e1", "commandId": "c1", "spread": 60, "expiresAt": 10});
        assert_eq!(moment("pump-7", &odd, 0), None, "one thing's own");
        let far = json!({"commandId": "c1", "spread": 1e300, "expiresAt": i64::MAX});
        assert!(moment("pump-7", &far, i64::MAX - 1).is_none_or(|at| at == i64::MAX));
        assert!(moment("pump-7", &far, i64::MIN).is_some());
    }
}
