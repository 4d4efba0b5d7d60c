//! How a fleet command stands is told on its topic, whatever changes it.

use local::journal::Event;
use serde_json::{Value, json};

use super::operator::{ask, shown, tell};
use crate::world::World;

/// What was told of a command, in its order.
fn told(world: &World, id: &str) -> Vec<Value> {
    let topic = format!("cmd/commands/{id}/events");
    let entries = world.stack.journal.entries();
    let told = entries.iter().filter_map(|entry| match &entry.event {
        Event::Published { topic: to, payload, .. } if **to == *topic => serde_json::from_slice(payload).ok(),
        _ => None,
    });
    told.collect()
}

/// The state that was told last, once everything has been.
async fn last(world: &World, id: &str) -> String {
    world.stack.settle().await;
    let told = told(world, id);
    told.last().and_then(|event| event["state"].as_str()).unwrap_or("nothing").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_is_what_the_api_shows() {
    let world = World::start().await;
    world.stack.registry.add_things("pumps", &["pump-1", "pump-2"]).expect("a group");
    let mut devices = [world.thing("pump-1").await, world.thing("pump-2").await];
    let id = ask(&world, json!({"delivery": "topic"})).await;
    world.advance(2).await;
    assert_eq!(last(&world, &id).await, "IN_PROGRESS");
    for (name, device) in ["pump-1", "pump-2"].iter().zip(&mut devices) {
        let (_, request) = device.next_json().await;
        device.report(name, json!({"executionId": request["executionId"], "status": "SUCCEEDED"})).await;
        world.stack.settle().await;
        world.advance(2).await;
    }
    let (told, shown) = (told(&world, &id), shown(&world, &id).await);
    let last = told.last().expect("something was told");
    for field in ["commandId", "name", "state", "counts"] {
        assert_eq!(last[field], shown[field], "{field}");
    }
    assert_eq!((&last["state"], &last["counts"]["SUCCEEDED"]), (&json!("COMPLETED"), &json!(2)));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_operator_makes_of_it_is_told_at_once() {
    let world = World::start().await;
    world.stack.registry.add_things("pumps", &["pump-1", "pump-2"]).expect("a group");
    world.stack.registry.add_group("empty", None).expect("a group");
    // It would begin tomorrow: no execution changes.
    let id = ask(&world, json!({"schedule": {"window": {"start": "20:00", "end": "21:00"}}})).await;
    assert_eq!(last(&world, &id).await, "SCHEDULED");
    for (what, state) in [("pause", "PAUSED"), ("resume", "SCHEDULED"), ("cancel", "CANCELED")] {
        tell(&world, &id, what).await;
        assert_eq!(last(&world, &id).await, state);
    }
    let nobody = ask(&world, json!({"target": {"groups": ["empty"]}})).await;
    assert_eq!(last(&world, &nobody).await, "COMPLETED");
    world.end().await;
}
