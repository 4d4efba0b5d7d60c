//! Counts equal those of the rows, although batches of streams are repeated, split and replayed, and functions crash.

use std::sync::{Arc, Mutex};

use device::fleet::BehaviourShares;
use local::faults::{Fault, StreamDelivery};
use local::journal::Event;
use serde_json::{Value, json};

use super::operator::{advance_until_state, create_with_topic, show};
use super::recount::{miscounts, rows_of};
use super::simulated_things::{runs, start_ungrouped_things};
use crate::world::{COMMANDS, EXECUTIONS, World};

const THINGS: usize = 130;

/// Number of seeds without `FLEET_SEEDS`.
const DEFAULT_SEEDS: u64 = 3;

fn seeds() -> u64 {
    std::env::var("FLEET_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(DEFAULT_SEEDS)
}

/// Injects faults into the deliveries of streams and the calls of functions, drawn from the seed.
fn inject_faults(world: &World, seed: u64) {
    let random = Arc::new(Mutex::new(fastrand::Rng::with_seed(seed)));
    let random_of_calls = random.clone();
    world.stack.faults.batches(move |batch| {
        let mut random = random.lock().expect("no closure panics");
        match random.u8(..8) {
            0 => StreamDelivery::Twice,
            1 | 2 => StreamDelivery::First(random.usize(1..=batch.records.max(1))),
            3 => StreamDelivery::ThenBack(random.usize(1..=40)),
            _ => StreamDelivery::Once,
        }
    });
    world.stack.faults.plan(move |call| {
        let mut random = random_of_calls.lock().expect("no closure panics");
        // One call in this many fails.
        let calls_per_fault = match call.function.as_str() {
            "flaghoist-tally-command" => 12,
            "flaghoist-fan-out-command" => 40,
            "flaghoist-dispatch-commands" => 250,
            "flaghoist-reconcile-commands" | "flaghoist-track-command" => 400,
            _ => return None,
        };
        let faults =
            [Fault::KillBefore, Fault::KillAfter, Fault::AppliedThenTimeout, Fault::Throttle, Fault::Unavailable];
        (random.u32(..calls_per_fault) == 0).then(|| faults[random.usize(..faults.len())])
    });
}

/// The command and its rows, once the rows have not changed for two seconds: in this time a stored change is counted.
async fn show_when_unchanged(world: &World, id: &str) -> (Value, Vec<Value>) {
    let mut rows = rows_of(world, id).await;
    for _ in 0..60 {
        world.advance(2).await;
        let before = std::mem::replace(&mut rows, rows_of(world, id).await);
        if before == rows {
            return (show(world, id).await, rows);
        }
    }
    panic!("the rows of {id} still change after 120 seconds");
}

/// Creates the command of a seed for the groups `north` and `south`; its id.
async fn create_for_seed(world: &World, seed: u64) -> String {
    let target = json!({"groups": ["north", "south"]});
    let body = json!({"name": "reboot", "delivery": "topic", "target": target, "ttl": 60, "timeout": 60});
    let key = format!("seed-{seed}");
    let headers = [("idempotency-key", key.as_str()), ("content-type", "application/json")];
    let response = world.request(reqwest::Method::POST, "/commands", &headers, body.to_string()).await;
    assert_eq!(response.status, 202, "{response:?}");
    response.body["commandId"].as_str().expect("the response has a command id").to_owned()
}

/// Lets a minute pass in steps, and replays records of the streams in between.
async fn advance_with_replays(world: &World, random: &mut fastrand::Rng) {
    for _ in 0..4 {
        world.advance(random.u64(1..20)).await;
        for table in [EXECUTIONS, COMMANDS] {
            if random.bool() {
                world.stack.mappings.replay(table, random.usize(1..300));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn counts_equal_a_recount_when_streams_repeat_and_functions_crash() {
    let world = World::start().await;
    let shares = BehaviourShares {
        fail: 0.15,
        reject: 0.1,
        mute: 0.1,
        twice: 0.1,
        late: 0.1,
        slow: 0.05,
        ..BehaviourShares::default()
    };
    let fleet = start_ungrouped_things(&world, "pump", THINGS, shares).await;
    world.stack.registry.add_things("north", &fleet.things()[..90]).expect("the group is valid");
    world.stack.registry.add_things("south", &fleet.things()[60..]).expect("the group is valid");
    let (mut errors, mut completed) = (Vec::new(), 0);
    for seed in 0..seeds() {
        inject_faults(&world, seed);
        let mut random = fastrand::Rng::with_seed(!seed);
        let id = create_for_seed(&world, seed).await;
        for part in 0..2 {
            advance_with_replays(&world, &mut random).await;
            // Without further faults the counts become those of the rows.
            world.stack.faults.clear();
            world.advance(66).await;
            let (shown, rows) = show_when_unchanged(&world, &id).await;
            let miscounts = miscounts(&shown, &rows);
            errors.extend(miscounts.into_iter().map(|miscount| format!("seed {seed}, part {part}: {miscount}")));
            inject_faults(&world, seed ^ (part << 32));
        }
        world.stack.faults.clear();
        advance_until_state(&world, &id, "COMPLETED", &[60; 8]).await;
        // Late things report in this time.
        world.advance(125).await;
        let (shown, rows) = (show(&world, &id).await, rows_of(&world, &id).await);
        completed += usize::from(shown["state"] == "COMPLETED" && rows.len() == THINGS);
        if shown["state"] != "COMPLETED" || rows.len() != THINGS {
            errors.push(format!("seed {seed}: {} rows, {shown}", rows.len()));
        }
        let miscounts = miscounts(&shown, &rows);
        errors.extend(miscounts.into_iter().map(|miscount| format!("seed {seed}, at the end: {miscount}")));
    }
    println!("{completed} commands completed");
    let runs = runs(&fleet);
    fleet.stop().await;
    assert!(errors.is_empty(), "{} errors:\n{}", errors.len(), errors.join("\n"));
    world.end_with(runs).await;
}

/// Registers the groups `pumps` and `valves` with this number of things each.
fn add_two_groups(world: &World, count: usize) {
    for group in ["pumps", "valves"] {
        let names: Vec<String> = (0..count).map(|n| format!("{group}-{n:04}")).collect();
        world.stack.registry.add_things(group, &names).expect("the group is valid");
    }
}

/// Creates a command for each of the two groups while the stream of commands is held, so that both are planned at once.
async fn create_two_at_once(world: &World, members: Value) -> Vec<String> {
    world.stack.streams.hold(COMMANDS);
    let mut ids = Vec::new();
    for group in ["pumps", "valves"] {
        let mut body = members.clone();
        body["target"] = json!({"groups": [group]});
        ids.push(create_with_topic(world, body).await);
    }
    world.stack.streams.release(COMMANDS);
    world.settle().await;
    ids
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn two_commands_at_the_same_time_are_each_counted() {
    let world = World::start().await;
    add_two_groups(&world, 600);
    let ids = create_two_at_once(&world, json!({"ttl": 60, "timeout": 60})).await;
    for id in &ids {
        let shown = advance_until_state(&world, id, "COMPLETED", &[60; 8]).await;
        assert_eq!((shown["state"].as_str(), shown["counts"]["TIMED_OUT"].as_u64()), (Some("COMPLETED"), Some(600)));
        assert_eq!(miscounts(&shown, &rows_of(&world, id).await), [""; 0]);
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn two_commands_at_the_same_time_are_planned_in_turns() {
    let world = World::start().await;
    // More things than one invocation plans.
    add_two_groups(&world, 2_800);
    let schedule = json!({"window": {"start": "20:00", "end": "21:00"}});
    let ids = create_two_at_once(&world, json!({"schedule": schedule})).await;
    let mut writes: [Vec<usize>; 2] = Default::default();
    for (position, entry) in world.stack.journal.entries().iter().enumerate() {
        if let Event::Written { table, before: None, after: Some(item), .. } = &entry.event
            && table == COMMANDS
            && item["sk"]["S"] == "THINGS"
            && let Some(which) = ids.iter().position(|id| item["pk"]["S"].as_str().is_some_and(|pk| pk.contains(id)))
        {
            writes[which].push(position);
        }
    }
    let [first, second] = &writes;
    assert_eq!((first.len(), second.len()), (28, 28), "batches of each command");
    let are_interleaved = first[0] < second[27] && second[0] < first[27];
    assert!(are_interleaved, "one command was planned after the end of the other: {writes:?}");
    world.end().await;
}
