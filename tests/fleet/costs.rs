//! What a fleet command costs in write units, counted by the tables themselves, indexes included, and in messages on the
//! queue of ticks.

use std::collections::BTreeMap;

use local::journal::Event;
use serde_json::{Value, json};

use super::operator::{advance_until_state, create_with_topic, show};
use super::recount::{miscounts, rows_of};
use crate::world::World;

/// Write units for each thing, for all tables and indexes together.
const MAX_WRITE_UNITS: f64 = 2.2;

const THINGS: usize = 1000;

/// Messages on the queue of ticks of a command without a rate: one for each batch of a hundred things.
const MAX_MESSAGES: u64 = THINGS as u64 / 100;

/// What a fleet command has cost.
struct FleetCost {
    write_units_per_thing: f64,
    /// Messages on the queue of ticks, of the whole command.
    messages: u64,
}

/// The cost until every execution has ended and nothing is due.
async fn cost(things: usize, does_report: bool, members: Value) -> FleetCost {
    let world = World::start().await;
    // Names of 20 to 36 characters.
    let name = |n: usize| format!("{:x<width$}-{n:04}", "pump", width = 15 + n % 17);
    let names: Vec<String> = (0..things).map(name).collect();
    world.stack.registry.add_things("pumps", &names).expect("the group is valid");
    let mut device = world.device("all", &["cmd/+/req"]).await;
    world.settle().await;
    world.stack.dynamodb.reset_capacity();
    let mut body = json!({"ttl": 300, "timeout": 300});
    body.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
    let id = create_with_topic(&world, body).await;
    world.settle().await;
    let mut asked = 0;
    for _ in 0..300 {
        while let Some((topic, payload)) = device.try_next() {
            asked += 1;
            let request: Value = serde_json::from_slice(&payload).expect("the request is JSON");
            let thing = topic.split('/').nth(1).expect("the topic names the thing");
            let report = json!({"executionId": request["executionId"], "attempt": 1, "status": "SUCCEEDED"});
            if does_report {
                device.report(thing, report).await;
            }
        }
        if asked == things {
            break;
        }
        world.advance(1).await;
    }
    advance_until_state(&world, &id, "COMPLETED", &[1; 8]).await;
    // Batches stop monitoring their executions in this time.
    for _ in 0..10 {
        world.advance(60).await;
    }
    let shown = show(&world, &id).await;
    let rows = rows_of(&world, &id).await;
    assert_eq!((shown["state"].as_str(), rows.len()), (Some("COMPLETED"), things), "{shown:#}");
    assert_eq!(miscounts(&shown, &rows), [""; 0]);
    println!("{things} things that {} {members}:", if does_report { "report once" } else { "never report" });
    let messages = world.stack.sqs.sent("flaghoist-ticks");
    println!("{messages} messages on the queue of ticks");
    let write_units_per_thing = print_capacity(&world, things);
    world.end().await;
    FleetCost { write_units_per_thing, messages }
}

/// Prints what was written; the write units for each thing.
fn print_capacity(world: &World, things: usize) -> f64 {
    let capacity = world.stack.dynamodb.capacity();
    let written: f64 = capacity.values().map(|units| units.write).sum();
    for (by, units) in capacity {
        println!("{:>24} {:>14}  {:>5} requests  {:>7} written", by.table, by.operation, units.requests, units.write);
    }
    let mut kinds = BTreeMap::<_, usize>::new();
    for entry in world.stack.journal.entries() {
        if let Event::Written { table, key, after: Some(_), .. } = entry.event {
            let kind = key["sk"]["S"].as_str().and_then(|sk| sk.split('#').next()).unwrap_or_default().to_owned();
            *kinds.entry(format!("{table} {kind}")).or_default() += 1;
        }
    }
    println!("writes by kind of item: {kinds:?}");
    let functions = ["fan-out-command", "dispatch-commands", "tally-command", "reconcile-commands"];
    let invocations = functions.map(|name| (name, world.stack.lambda.stats(&format!("flaghoist-{name}")).invocations));
    println!("invocations: {invocations:?}");
    let per_thing = written / things as f64;
    println!("{per_thing} write units for each thing");
    per_thing
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn thing_that_reports_costs_at_most_its_row_and_its_outcome() {
    let FleetCost { write_units_per_thing: units, messages } = cost(THINGS, true, json!({})).await;
    assert!(units <= MAX_WRITE_UNITS, "{units} write units for each thing");
    assert!(messages <= MAX_MESSAGES, "{messages} messages for ten batches");
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn thing_that_never_reports_costs_no_more() {
    let FleetCost { write_units_per_thing: units, messages } = cost(THINGS, false, json!({})).await;
    assert!(units <= MAX_WRITE_UNITS, "{units} write units for each thing");
    assert!(messages <= MAX_MESSAGES, "{messages} messages for ten batches");
}

/// A step costs writes of the plan, of a batch and of the counts, the message that brings it, and one for the entry of
/// its batch in the due index, however many things it has.
#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn each_step_of_a_rate_costs_writes_and_two_messages_beside_those_of_its_things() {
    for (per_minute, things, max_units) in [(6_000, 1000, 2.4), (300, 100, 4.2), (60, 50, 9.5)] {
        let members = json!({"rollout": {"maximumPerMinute": per_minute}});
        let FleetCost { write_units_per_thing: units, messages } = cost(things, true, members).await;
        assert!(units <= max_units, "{units} write units for each thing at {per_minute} a minute");
        let steps = things as u64 * 60 / per_minute;
        let expected = steps - 1..=2 * steps + MAX_MESSAGES;
        assert!(expected.contains(&messages), "{messages} messages for {steps} steps at {per_minute} a minute");
    }
}
