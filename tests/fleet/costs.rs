//! What a fleet command costs in write units, as the tables count it themselves, indexes included.

use serde_json::json;

use super::recount::{command, miscounts, rows_of, stands, until};
use crate::world::World;

/// So many write units for each thing at most, all tables and indexes together.
const MOST: f64 = 2.2;
const THINGS: usize = 1000;

/// What each thing costs until all have ended and nothing is due any more.
async fn each(answers: bool) -> f64 {
    let world = World::start().await;
    // 20 to 36 characters.
    let name = |n: usize| format!("{:x<width$}-{n:04}", "pump", width = 15 + n % 17);
    let names: Vec<String> = (0..THINGS).map(name).collect();
    world.stack.registry.add_things("pumps", &names).expect("a group");
    let mut device = world.device("all", &["cmd/+/req"]).await;
    world.stack.settle().await;
    world.stack.dynamodb.forget_capacity();
    let id = command(&world, json!({"target": {"groups": ["pumps"]}, "ttl": 300, "timeout": 300})).await;
    world.stack.settle().await;
    while let Some((topic, payload)) = device.try_next() {
        let request: serde_json::Value = serde_json::from_slice(&payload).expect("JSON");
        let thing = topic.split('/').nth(1).expect("a thing");
        let word = json!({"executionId": request["executionId"], "attempt": 1, "status": "SUCCEEDED"});
        if answers {
            device.report(thing, word).await;
        }
    }
    until(&world, &id, "COMPLETED", &[1; 8]).await;
    // The watch over silence ends too.
    for _ in 0..10 {
        world.advance(60).await;
    }
    let shown = stands(&world, &id).await;
    let rows = rows_of(&world, &id).await;
    assert_eq!((shown["state"].as_str(), rows.len()), (Some("COMPLETED"), THINGS), "{shown:#}");
    assert_eq!(miscounts(&shown, &rows), [""; 0]);
    let capacity = world.stack.dynamodb.capacity();
    let written: f64 = capacity.values().map(|units| units.write).sum();
    println!("{THINGS} things that {}:", if answers { "answer once" } else { "stay silent" });
    for (by, units) in capacity {
        println!("{:>24} {:>14}  {:>5} requests  {:>7} written", by.table, by.operation, units.requests, units.write);
    }
    let mut kinds = std::collections::BTreeMap::<_, usize>::new();
    for entry in world.stack.journal.entries() {
        if let local::journal::Event::Written { table, key, after: Some(_), .. } = entry.event {
            let kind = key["sk"]["S"].as_str().and_then(|sk| sk.split('#').next()).unwrap_or_default().to_owned();
            *kinds.entry(format!("{table} {kind}")).or_default() += 1;
        }
    }
    println!("{kinds:?}");
    let each = written / THINGS as f64;
    println!("{each} write units each");
    world.end().await;
    each
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thing_that_answers_costs_its_row_and_its_outcome() {
    let each = each(true).await;
    assert!(each <= MOST, "{each} write units");
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_costs_no_more() {
    let each = each(false).await;
    assert!(each <= MOST, "{each} write units");
}
