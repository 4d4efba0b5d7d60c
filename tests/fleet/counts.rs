//! Counts stay those of the rows, whatever comes twice, in parts, late, or from someone who died.

use std::sync::{Arc, Mutex};

use device::fleet::Knobs;
use local::faults::{Fault, StreamDelivery};
use local::journal::Event;
use serde_json::{Value, json};

use super::recount::{command, miscounts, rows_of, runs, stands, things, until};
use crate::world::{COMMANDS, EXECUTIONS, World};

const THINGS: usize = 130;

/// So many seeds, or as many as `FLEET_SEEDS` says.
fn seeds() -> u64 {
    std::env::var("FLEET_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(3)
}

/// Makes streams repeat themselves and functions die.
fn trouble(world: &World, seed: u64) {
    let dice = Arc::new(Mutex::new(fastrand::Rng::with_seed(seed)));
    let other = dice.clone();
    world.stack.faults.batches(move |batch| {
        let mut dice = dice.lock().expect("nobody panicked");
        match dice.u8(..8) {
            0 => StreamDelivery::Twice,
            1 | 2 => StreamDelivery::First(dice.usize(1..=batch.records.max(1))),
            3 => StreamDelivery::ThenBack(dice.usize(1..=40)),
            _ => StreamDelivery::Once,
        }
    });
    world.stack.faults.plan(move |call| {
        let mut dice = other.lock().expect("nobody panicked");
        let often = match call.function.as_str() {
            "flaghoist-tally-command" => 12,
            "flaghoist-fan-out-command" => 40,
            "flaghoist-dispatch-commands" => 250,
            "flaghoist-reconcile-commands" | "flaghoist-track-command" => 400,
            _ => return None,
        };
        let faults =
            [Fault::KillBefore, Fault::KillAfter, Fault::AppliedThenTimeout, Fault::Throttle, Fault::Unavailable];
        (dice.u32(..often) == 0).then(|| faults[dice.usize(..faults.len())])
    });
}

/// How it stands, and its rows, once nothing has changed for two seconds: so long it may take until what is stored is counted.
async fn two_seconds_later(world: &World, id: &str) -> (Value, Vec<Value>) {
    let mut rows = rows_of(world, id).await;
    for _ in 0..60 {
        world.advance(2).await;
        let before = std::mem::replace(&mut rows, rows_of(world, id).await);
        if before == rows {
            return (stands(world, id).await, rows);
        }
    }
    panic!("its rows change all the time");
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_are_those_of_a_recount_whatever_happens_to_streams_and_functions() {
    let world = World::start().await;
    let knobs = Knobs { fail: 0.15, reject: 0.1, mute: 0.1, twice: 0.1, late: 0.1, slow: 0.05, ..Knobs::default() };
    let fleet = things(&world, THINGS, "pump", knobs).await;
    world.stack.registry.add_things("north", &fleet.things()[..90]).expect("a group");
    world.stack.registry.add_things("south", &fleet.things()[60..]).expect("a group");
    let (mut wrongs, mut completed) = (Vec::new(), 0);
    for seed in 0..seeds() {
        trouble(&world, seed);
        let mut dice = fastrand::Rng::with_seed(!seed);
        let target = json!({"groups": ["north", "south"]});
        let body = json!({"name": "reboot", "delivery": "topic", "target": target, "ttl": 60, "timeout": 60});
        let key = format!("seed-{seed}");
        let answer = world
            .request(
                reqwest::Method::POST,
                "/commands",
                &[("idempotency-key", &key), ("content-type", "application/json")],
                body.to_string(),
            )
            .await;
        assert_eq!(answer.status, 202, "{answer:?}");
        let id = answer.body["commandId"].as_str().expect("an id").to_owned();
        for part in 0..2 {
            for _ in 0..4 {
                world.advance(dice.u64(1..20)).await;
                for table in [EXECUTIONS, COMMANDS] {
                    if dice.bool() {
                        world.stack.mappings.replay(table, dice.usize(1..300));
                    }
                }
            }
            // Calm: what was counted is what there is.
            world.stack.faults.clear();
            world.advance(66).await;
            let (shown, rows) = two_seconds_later(&world, &id).await;
            let wrong = miscounts(&shown, &rows);
            wrongs.extend(wrong.into_iter().map(|wrong| format!("seed {seed}, part {part}: {wrong}")));
            trouble(&world, seed ^ (part << 32));
        }
        world.stack.faults.clear();
        until(&world, &id, "COMPLETED", &[60; 8]).await;
        // Those who answer late have their say.
        world.advance(125).await;
        let (shown, rows) = (stands(&world, &id).await, rows_of(&world, &id).await);
        completed += usize::from(shown["state"] == "COMPLETED" && rows.len() == THINGS);
        if shown["state"] != "COMPLETED" || rows.len() != THINGS {
            wrongs.push(format!("seed {seed}: {} rows, {shown}", rows.len()));
        }
        let wrong = miscounts(&shown, &rows);
        wrongs.extend(wrong.into_iter().map(|wrong| format!("seed {seed}, in the end: {wrong}")));
    }
    println!("{completed} completed");
    let runs = runs(&fleet);
    fleet.stop().await;
    assert!(wrongs.is_empty(), "{} counts are wrong:\n{}", wrongs.len(), wrongs.join("\n"));
    world.end_with(runs).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_fleets_at_once_are_each_counted() {
    let world = World::start().await;
    let names = |prefix: &str| (0..600).map(|n| format!("{prefix}-{n:03}")).collect::<Vec<_>>();
    for group in ["pumps", "valves"] {
        world.stack.registry.add_things(group, &names(group)).expect("a group");
    }
    world.stack.streams.hold(COMMANDS);
    let mut ids = Vec::new();
    for group in ["pumps", "valves"] {
        ids.push(command(&world, json!({"target": {"groups": [group]}, "ttl": 60, "timeout": 60})).await);
    }
    world.stack.streams.release(COMMANDS);
    world.stack.settle().await;
    for id in &ids {
        let shown = until(&world, id, "COMPLETED", &[60; 8]).await;
        assert_eq!((shown["state"].as_str(), shown["counts"]["TIMED_OUT"].as_u64()), (Some("COMPLETED"), Some(600)));
        assert_eq!(miscounts(&shown, &rows_of(&world, id).await), [""; 0]);
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_fleets_are_planned_in_turns() {
    let world = World::start().await;
    // More than anybody plans in one go.
    let names = |prefix: &str| (0..2_800).map(|n| format!("{prefix}-{n:04}")).collect::<Vec<_>>();
    for group in ["pumps", "valves"] {
        world.stack.registry.add_things(group, &names(group)).expect("a group");
    }
    world.stack.streams.hold(COMMANDS);
    let mut ids = Vec::new();
    for group in ["pumps", "valves"] {
        let schedule = json!({"window": {"start": "20:00", "end": "21:00"}});
        ids.push(command(&world, json!({"target": {"groups": [group]}, "schedule": schedule})).await);
    }
    world.stack.streams.release(COMMANDS);
    world.stack.settle().await;
    let mut places: [Vec<usize>; 2] = Default::default();
    for (place, entry) in world.stack.journal.entries().iter().enumerate() {
        if let Event::Written { table, before: None, after: Some(item), .. } = &entry.event
            && table == COMMANDS
            && item["sk"]["S"] == "THINGS"
            && let Some(which) = ids.iter().position(|id| item["pk"]["S"].as_str().is_some_and(|pk| pk.contains(id)))
        {
            places[which].push(place);
        }
    }
    let [first, second] = &places;
    assert_eq!((first.len(), second.len()), (28, 28));
    assert!(first[0] < second[27] && second[0] < first[27], "one waited for the other's end: {places:?}");
    world.end().await;
}
