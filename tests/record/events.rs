//! Progress events: numbered, in order, none twice, one for each change; and the counts that they and the API show.

use local::journal::Event;
use reqwest::Method;
use serde_json::{Value, json};

use super::operator::accepted;
use crate::fleet::operator::{show, wait_for_state};
use crate::world::World;

/// The progress events of a command, in the order in which they were published.
pub(super) fn events(world: &World, id: &str) -> Vec<Value> {
    let topic = format!("cmd/commands/{id}/events");
    let entries = world.stack.journal.entries();
    let published = entries.iter().filter_map(|entry| match &entry.event {
        Event::Published { topic: found, payload, .. } if **found == *topic => serde_json::from_slice(payload).ok(),
        _ => None,
    });
    published.collect()
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn every_change_has_a_numbered_event() {
    let world = World::start().await;
    world.stack.registry.add_things("pumps", &["pump-1", "pump-2"]).expect("the group is valid");
    let mut pumps = [world.thing("pump-1").await, world.thing("pump-2").await];
    let rollout = json!({"maximumPerMinute": 600});
    let body = json!({"name": "reboot", "target": {"groups": ["pumps"]}, "delivery": "topic", "rollout": rollout});
    let id = accepted(&world, "ada", "/commands", body).await["commandId"].as_str().expect("an id").to_owned();
    wait_for_state(&world, &id, 10, "IN_PROGRESS").await;
    world.advance(2).await;
    // Changes in quick succession: each is told, though the batches are told only of the last one.
    for (user, action) in [("bob", "pause"), ("cyn", "resume"), ("dan", "pause"), ("eve", "resume")] {
        accepted(&world, user, &format!("/commands/{id}/{action}"), json!({"why": action})).await;
    }
    world.settle().await;
    let rate = json!({"rollout": {"maximumPerMinute": 1200}, "why": "there is room"}).to_string();
    let changed = world.request(Method::PATCH, &format!("/commands/{id}"), &[], rate).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    for (name, pump) in ["pump-1", "pump-2"].iter().zip(&mut pumps) {
        let (_, request) = pump.next_json().await;
        pump.report(name, json!({"executionId": request["executionId"], "status": "SUCCEEDED"})).await;
        world.settle().await;
        world.advance(2).await;
    }
    let done = wait_for_state(&world, &id, 10, "COMPLETED").await;
    let mut events = events(&world, &id);
    // Several functions publish: the number gives the order.
    events.sort_by_key(|event| event["sequence"].as_u64().expect("a number"));
    let generations = events.iter().map(|event| event["lastChange"]["at"].as_str().unwrap_or_default().to_owned());
    assert!(generations.is_sorted(), "a greater number knows all changes: {events:#?}");
    let ended = |event: &Value| event["counts"]["SUCCEEDED"].as_u64();
    assert!(events.iter().map(ended).is_sorted(), "a greater number has counted more: {events:#?}");
    let changes: Vec<_> = events.iter().map(|event| event["lastChange"].clone()).collect();
    for entry in &done["history"].as_array().expect("a history")[1..] {
        assert!(changes.contains(entry), "{entry} has no event: {changes:#?}");
    }
    let last = &done["history"][5];
    assert_eq!((&last["action"], &last["why"]), (&json!("CHANGED"), &json!("there is room")), "{done:#}");
    let last = events.last().expect("events");
    assert_eq!((&last["state"], &last["counts"]), (&json!("COMPLETED"), &done["counts"]));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn counts_say_as_of_when_and_whether_the_total_is_exact() {
    let world = World::start().await;
    let things = ["pump-1", "pump-2", "pump-3"];
    world.stack.registry.add_things("pumps", &things).expect("the group is valid");
    world.stack.registry.add_things("plant", &things).expect("the group is valid");
    let body = json!({"name": "reboot", "target": {"groups": ["pumps", "plant"]}, "delivery": "topic", "ttl": 5});
    let created = accepted(&world, "ada", "/commands", body).await;
    assert_eq!((&created["counts"]["exact"], &created["counts"]["asOf"]), (&json!(false), &Value::Null));
    let id = created["commandId"].as_str().expect("an id").to_owned();
    let mut totals = Vec::new();
    for _ in 0..6 {
        world.advance(1).await;
        let counts = show(&world, &id).await["counts"].clone();
        totals.push((counts["exact"] == true, counts["total"].as_u64().expect("a total")));
    }
    assert!(totals.contains(&(true, 3)), "{totals:?}");
    assert!(totals.iter().all(|(exact, total)| !exact || *total == 3), "{totals:?}");

    // The ttl has passed: what the list shows as ended is counted, or the counts are older than the deadline.
    let listed = world.get(&format!("/commands/{id}/executions?status=TIMED_OUT")).await.body;
    let ended = listed["executions"].as_array().expect("a list");
    assert_eq!(ended.len(), 3, "{listed:#}");
    let counts = show(&world, &id).await["counts"].clone();
    let deadline = ended[0]["deadline"].as_str().expect("a deadline").parse::<jiff::Timestamp>().expect("a time");
    let as_of = counts["asOf"].as_str().expect("a time").parse::<jiff::Timestamp>().expect("a time");
    assert!(counts["TIMED_OUT"] == 3 || as_of < deadline, "{counts:#}");
    world.advance(120).await;
    let counts = show(&world, &id).await["counts"].clone();
    assert_eq!((&counts["TIMED_OUT"], &counts["exact"]), (&json!(3), &json!(true)), "{counts:#}");
    world.end().await;
}
