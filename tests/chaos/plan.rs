//! What a seed asks for: things and their manners, commands and when, ticks, and the weather.

use serde_json::{Value, json};

use crate::dice::Dice;

/// Where every schedule begins.
pub const EPOCH_MS: i64 = 1_700_000_000_000;

/// How often things go wrong, in a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    /// Of the calls between a function and AWS.
    pub calls: usize,
    /// Of the messages between a device and the broker.
    pub messages: usize,
    /// Of the events between the broker and a function.
    pub events: usize,
    /// Of the queries of an index: answered from an older copy.
    pub lag: usize,
}

/// How a device says what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// As AWS IoT Commands has it.
    Json,
    /// A word and the id.
    Text,
    /// A word and what it was asked.
    Echo,
    /// A word, on a topic that has the id.
    ById,
    /// A word.
    Bare,
}

/// How a thing takes commands in its shadow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Map,
    Atlas,
}

#[derive(Clone, Debug)]
pub struct Thing {
    pub name: String,
    pub manner: Manner,
    pub dialect: Option<Dialect>,
    pub answers_in_shadow: bool,
    /// It is as its shadow `config` wishes.
    pub has_state: bool,
    /// How far its clock is ahead.
    pub skew_ms: i64,
    /// Of its reports before the last one, in a thousand: accepted, heartbeats.
    pub talks: usize,
    pub succeeds: usize,
    pub rejects: usize,
    /// Never says how it ended.
    pub forgets: usize,
    pub longest_run_ms: i64,
    /// When it goes away, for how long, and whether it loses its power.
    pub absences: Vec<(i64, i64, bool)>,
}

/// What an operator asks for, and goes on asking for until it is accepted.
#[derive(Clone, Debug)]
pub struct Order {
    pub at_ms: i64,
    pub token: Option<String>,
    pub body: Value,
    pub finish_by_ms: i64,
    /// How often it is asked for again although it was accepted.
    pub repeats: usize,
    /// How often it is asked for again because it was not.
    pub patience: usize,
}

/// What the operator calls off, and when.
#[derive(Clone, Debug)]
pub struct Cancel {
    pub at_ms: i64,
    pub order: usize,
    pub force: bool,
}

#[derive(Clone, Debug)]
pub struct Plan {
    pub weather: Weather,
    pub things: Vec<Thing>,
    pub orders: Vec<Order>,
    pub cancels: Vec<Cancel>,
    /// When somebody else writes into whose shadows.
    pub meddling: Vec<(i64, usize)>,
    /// How many seconds lie between two ticks.
    pub every: u32,
    /// When each tick fires, and the time that it says.
    pub ticks: Vec<(i64, i64)>,
    pub end_ms: i64,
}

/// How far off a device's clock may be.
pub const TOLERANCE_MS: i64 = 2_000;

impl Plan {
    pub fn new(seed: u64, dice: &mut Dice) -> Self {
        let (calls, messages, events, lag) = *dice.pick(&[
            (0, 0, 0, 0),
            (30, 30, 50, 100),
            (100, 100, 100, 300),
            (300, 50, 100, 300),
            (50, 300, 300, 500),
            // Even the second try of a call fails more often than not.
            (600, 20, 50, 100),
        ]);
        let things: Vec<Thing> = (0..1 + dice.below(2)).map(|n| thing(seed, n, dice)).collect();
        let count = 1 + dice.below(5);
        let orders: Vec<Order> = (0..count).map(|n| order(seed, n, &things, dice)).collect();
        let end_ms = orders.iter().map(|order| order.finish_by_ms).max().unwrap_or(EPOCH_MS);
        let ticks = ticks(end_ms, dice);
        let cancels = (0..dice.below(3)).map(|_| cancel(&orders, dice)).collect();
        let in_shadow = things.iter().any(|thing| thing.dialect.is_some() || thing.has_state);
        let meddling = (0..if in_shadow { dice.below(4) } else { 0 })
            .map(|_| (EPOCH_MS + dice.between(0, 150_000), dice.below(things.len())))
            .collect();
        let every = *dice.pick(&[60, 60, 60, 60, 60, 20]);
        let weather = Weather { calls, messages, events, lag };
        Self { weather, things, orders, cancels, meddling, every, ticks, end_ms }
    }
}

fn thing(seed: u64, number: usize, dice: &mut Dice) -> Thing {
    let manners = [Manner::Json, Manner::Json, Manner::Json, Manner::Text, Manner::Echo, Manner::ById, Manner::Bare];
    let absences = (0..dice.below(3))
        .map(|_| (EPOCH_MS + dice.between(0, 200_000), dice.between(1_000, 120_000), dice.chance(500)))
        .collect();
    let dialect = *dice.pick(&[None, None, Some(Dialect::Map), Some(Dialect::Map), Some(Dialect::Atlas)]);
    Thing {
        name: format!("pump-{seed}-{number}"),
        manner: *dice.pick(&manners),
        dialect,
        answers_in_shadow: dice.chance(500),
        has_state: dice.chance(300),
        skew_ms: dice.between(-TOLERANCE_MS, TOLERANCE_MS),
        talks: *dice.pick(&[0, 500, 1000]),
        succeeds: *dice.pick(&[0, 500, 1000, 1000]),
        rejects: *dice.pick(&[0, 0, 300]),
        forgets: *dice.pick(&[0, 0, 300]),
        longest_run_ms: *dice.pick(&[100, 5_000, 60_000, 400_000]),
        absences,
    }
}

fn order(seed: u64, number: usize, things: &[Thing], dice: &mut Dice) -> Order {
    let thing = dice.below(things.len());
    // Seconds and their fractions, so that no deadline falls on the turn of a second only.
    let at_ms = EPOCH_MS + dice.between(0, 90_000);
    let ttl = *dice.pick(&[2, 10, 30, 60, 120, 180]);
    let timeout = ttl + *dice.pick(&[0, 10, 60, 300]);
    let mut body = json!({
        "name": *dice.pick(&["reboot", "open", "close"]),
        "target": {"things": [things[thing].name]},
        "ttl": ttl,
        "timeout": timeout,
    });
    let mut deliveries = vec![("direct", None), ("topic", None), ("auto", None), ("auto", None)];
    match things[thing].dialect {
        None => {}
        // Without a word, it goes as the thing has declared.
        Some(Dialect::Map) => deliveries.extend([("shadow", None), ("shadow", Some("map"))]),
        Some(Dialect::Atlas) => deliveries.extend([("shadow", None), ("shadow", Some("atlas"))]),
    }
    if things[thing].has_state {
        deliveries.extend([("shadow", Some("state/config"))]);
    }
    let (delivery, shadow) = *dice.pick(&deliveries);
    body["delivery"] = delivery.into();
    if let Some(shadow) = shadow {
        body["shadow"] = shadow.into();
    }
    let is_state = shadow.is_some_and(|shadow| shadow.starts_with("state"));
    // What takes one command at a time has a lane of its own.
    let has_own_lane = is_state || (delivery == "shadow" && things[thing].dialect == Some(Dialect::Atlas));
    if !has_own_lane && dice.chance(400) {
        body["lane"] =
            json!({"name": *dice.pick(&["valve", "valve", "door"]), "onFailure": *dice.pick(&["stop", "skip"])});
        if dice.chance(300) {
            body["supersede"] = true.into();
        }
    }
    if dice.chance(400) {
        let on = *dice.pick(&[
            &["NO_RESPONSE"][..],
            &["NO_RESPONSE", "HEARTBEAT_LOST"],
            &["FAILED", "REJECTED", "TIMED_OUT"],
            &["NO_RESPONSE", "HEARTBEAT_LOST", "FAILED", "REJECTED", "TIMED_OUT"],
        ]);
        let wait = (*dice.pick(&[1, 5, 20])).min(ttl - 1);
        let cap = *dice.pick(&[0, 2, 20]);
        body["retry"] =
            json!({"attempts": dice.between(2, 3), "on": on, "wait": wait, "backoff": {"base": cap, "cap": cap}});
    }
    if dice.chance(400) {
        body["heartbeat"] = (*dice.pick(&[1, 5, 20])).min(timeout).into();
    }
    if is_state {
        body["payload"] = match dice.below(3) {
            0 => json!({"color": number}),
            1 => json!({"speed": number}),
            _ => json!({"color": number, "speed": 7}),
        };
    } else if dice.chance(300) {
        body["payload"] = json!({"delay": number});
    }
    if dice.chance(200) {
        body["waitSeconds"] = dice.between(1, 5).into();
    }
    let token = dice.chance(800).then(|| format!("{seed}-{number}"));
    Order {
        at_ms,
        repeats: if token.is_some() { *dice.pick(&[0, 0, 1, 2]) } else { 0 },
        token,
        body,
        finish_by_ms: at_ms + timeout * 1000,
        patience: dice.below(5),
    }
}

fn cancel(orders: &[Order], dice: &mut Dice) -> Cancel {
    let order = dice.below(orders.len());
    let most = *dice.pick(&[500, 10_000, 120_000]);
    Cancel { at_ms: orders[order].at_ms + dice.between(0, most), order, force: dice.chance(500) }
}

/// Every minute, though some are late, some never come, and some come twice.
fn ticks(end_ms: i64, dice: &mut Dice) -> Vec<(i64, i64)> {
    let mut ticks = Vec::new();
    let mut scheduled = EPOCH_MS - EPOCH_MS % 60_000 + 60_000;
    while scheduled < end_ms + 60_000 {
        let times = *dice.pick(&[0, 0, 1, 1, 1, 2]);
        for _ in 0..times {
            let late = *dice.pick(&[0, 50, 800, 40_000]);
            ticks.push((scheduled + late, scheduled));
        }
        scheduled += 60_000;
    }
    ticks
}
