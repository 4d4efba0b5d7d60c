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

#[derive(Clone, Debug)]
pub struct Thing {
    pub name: String,
    pub manner: Manner,
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

#[derive(Clone, Debug)]
pub struct Plan {
    pub weather: Weather,
    pub things: Vec<Thing>,
    pub orders: Vec<Order>,
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
        ]);
        let things: Vec<Thing> = (0..1 + dice.below(3)).map(|n| thing(seed, n, dice)).collect();
        let count = 1 + dice.below(4);
        let orders: Vec<Order> = (0..count).map(|n| order(seed, n, &things, dice)).collect();
        let end_ms = orders.iter().map(|order| order.finish_by_ms).max().unwrap_or(EPOCH_MS);
        let ticks = ticks(end_ms, dice);
        Self { weather: Weather { calls, messages, events, lag }, things, orders, ticks, end_ms }
    }
}

fn thing(seed: u64, number: usize, dice: &mut Dice) -> Thing {
    let manners = [Manner::Json, Manner::Json, Manner::Json, Manner::Text, Manner::Echo, Manner::ById, Manner::Bare];
    let absences = (0..dice.below(3))
        .map(|_| (EPOCH_MS + dice.between(0, 200_000), dice.between(1_000, 120_000), dice.chance(500)))
        .collect();
    Thing {
        name: format!("pump-{seed}-{number}"),
        manner: *dice.pick(&manners),
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
    let ttl = *dice.pick(&[2, 10, 30, 60, 120]);
    let timeout = ttl + *dice.pick(&[0, 10, 60, 300]);
    let mut body = json!({
        "name": *dice.pick(&["reboot", "open", "close"]),
        "target": {"things": [things[thing].name]},
        "delivery": *dice.pick(&["direct", "topic", "auto"]),
        "ttl": ttl,
        "timeout": timeout,
    });
    if dice.chance(400) {
        body["heartbeat"] = (*dice.pick(&[1, 5, 20])).min(timeout).into();
    }
    if dice.chance(300) {
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
