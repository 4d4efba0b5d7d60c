//! The commands of a scenario, and their cancels.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Dialect, START_MS, StateShadow, ThingConfig};
use crate::random::Random;

/// A command that the operator creates.
#[derive(Clone, Debug)]
pub struct CommandPlan {
    pub at_ms: i64,
    pub idempotency_key: Option<String>,
    /// Body of `POST /commands`.
    pub body: Value,
    /// Whether it is a fleet command.
    pub is_fleet: bool,
    /// The things that have to be asked; no other may be.
    pub meant: BTreeSet<String>,
    pub finish_by_ms: i64,
    /// Number of repetitions after the API has accepted it.
    pub repeats: usize,
    /// Number of repetitions after an error.
    pub retries: usize,
}

/// A cancel of a command.
#[derive(Clone, Debug)]
pub struct CancelPlan {
    pub at_ms: i64,
    /// Index of the command in the scenario.
    pub command: usize,
    pub force: bool,
}

impl CommandPlan {
    pub fn draw(seed: u64, number: usize, things: &[ThingConfig], random: &mut Random) -> Self {
        let thing = &things[random.below(things.len())];
        // With milliseconds, so that deadlines do not always fall on a full second.
        let at_ms = START_MS + random.between(0, 90_000);
        let ttl = *random.pick(&[2, 10, 30, 60, 120, 180]);
        let timeout = ttl + *random.pick(&[0, 10, 60, 300]);
        let mut body = json!({
            "name": *random.pick(&["reboot", "open", "close"]),
            "target": {"things": [thing.name]},
            "ttl": ttl,
            "timeout": timeout,
        });
        let (delivery, shadow) = draw_delivery(thing, random);
        body["delivery"] = delivery.into();
        if let Some(shadow) = shadow {
            body["shadow"] = shadow.into();
        }
        let is_state = shadow.is_some_and(|shadow| shadow.starts_with("state"));
        // Desired states and the Atlas dialect have a lane of their own.
        let has_own_lane = is_state || (delivery == "shadow" && thing.dialect == Some(Dialect::Atlas));
        if !has_own_lane && random.chance(400) {
            let name = *random.pick(&["valve", "valve", "door"]);
            body["lane"] = json!({"name": name, "onFailure": *random.pick(&["stop", "skip"])});
            if random.chance(300) {
                body["supersede"] = true.into();
            }
        }
        // A request is in a shadow for less than its ttl, and a wait for a response must be shorter than that.
        let longest_wait = if delivery == "shadow" { (ttl - 5).max(1) } else { ttl } - 1;
        if random.chance(400) && longest_wait > 0 {
            body["retry"] = draw_retry(longest_wait, random);
        }
        if random.chance(400) {
            body["heartbeat"] = (*random.pick(&[1, 5, 20])).min(timeout).into();
        }
        if is_state {
            body["payload"] = match random.below(3) {
                0 => json!({"color": number}),
                1 => json!({"speed": number}),
                _ => json!({"color": number, "speed": 7}),
            };
        } else if random.chance(300) {
            body["payload"] = json!({"delay": number});
        }
        if random.chance(200) {
            body["waitSeconds"] = random.between(1, 5).into();
        }
        let idempotency_key = random.chance(800).then(|| format!("{seed}-{number}"));
        Self {
            at_ms,
            repeats: if idempotency_key.is_some() { *random.pick(&[0, 0, 1, 2]) } else { 0 },
            idempotency_key,
            body,
            is_fleet: false,
            meant: BTreeSet::from([thing.name.clone()]),
            finish_by_ms: at_ms + timeout * 1000,
            retries: random.below(5),
        }
    }
}

fn draw_delivery(thing: &ThingConfig, random: &mut Random) -> (&'static str, Option<&'static str>) {
    let mut deliveries = vec![("direct", None), ("topic", None), ("auto", None), ("auto", None)];
    // Without a dialect in the request, the one that the thing has declared is used.
    match thing.dialect {
        None => {}
        Some(Dialect::Map) => deliveries.extend([("shadow", None), ("shadow", Some("map"))]),
        Some(Dialect::Atlas) => deliveries.extend([("shadow", None), ("shadow", Some("atlas"))]),
    }
    match thing.state_shadow {
        None => {}
        Some(StateShadow::Classic) => deliveries.extend([("shadow", Some("state")); 2]),
        Some(StateShadow::Config) => deliveries.extend([("shadow", Some("state/config"))]),
    }
    *random.pick(&deliveries)
}

pub fn draw_retry(longest_wait: i64, random: &mut Random) -> Value {
    let reasons = *random.pick(&[
        &["NO_RESPONSE"][..],
        &["NO_RESPONSE", "HEARTBEAT_LOST"],
        &["FAILED", "REJECTED", "TIMED_OUT"],
        &["NO_RESPONSE", "HEARTBEAT_LOST", "FAILED", "REJECTED", "TIMED_OUT"],
    ]);
    let wait = (*random.pick(&[1, 5, 20])).min(longest_wait);
    let cap = *random.pick(&[0, 2, 20]);
    json!({"attempts": random.between(2, 3), "on": reasons, "wait": wait, "backoff": {"base": cap, "cap": cap}})
}

impl CancelPlan {
    pub fn draw(commands: &[CommandPlan], random: &mut Random) -> Self {
        let command = random.below(commands.len());
        let max_delay_ms = *random.pick(&[500, 10_000, 120_000]);
        let at_ms = commands[command].at_ms + random.between(0, max_delay_ms);
        Self { at_ms, command, force: random.chance(500) }
    }
}
