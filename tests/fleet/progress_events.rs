//! Progress events of a fleet command on its topic: after each change of its counts, and after each control change.

use local::journal::Event;
use serde_json::{Value, json};

use super::operator::{control, create, show};
use crate::world::World;

/// The progress events of a command, in order.
fn progress_events(world: &World, id: &str) -> Vec<Value> {
    let events_topic = format!("cmd/commands/{id}/events");
    let entries = world.stack.journal.entries();
    let events = entries.iter().filter_map(|entry| match &entry.event {
        Event::Published { topic, payload, .. } if **topic == *events_topic => serde_json::from_slice(payload).ok(),
        _ => None,
    });
    events.collect()
}

/// The state in the last progress event, once the stack has settled.
async fn last_state(world: &World, id: &str) -> String {
    world.settle().await;
    let events = progress_events(world, id);
    events.last().and_then(|event| event["state"].as_str()).unwrap_or("no event").to_owned()
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn last_progress_event_equals_what_the_api_shows() {
    let world = World::start().await;
    world.stack.registry.add_things("pumps", &["pump-1", "pump-2"]).expect("the group is valid");
    let mut devices = [world.thing("pump-1").await, world.thing("pump-2").await];
    let id = create(&world, json!({"delivery": "topic"})).await;
    world.advance(2).await;
    assert_eq!(last_state(&world, &id).await, "IN_PROGRESS");
    for (name, device) in ["pump-1", "pump-2"].iter().zip(&mut devices) {
        let (_, request) = device.next_json().await;
        device.report(name, json!({"executionId": request["executionId"], "status": "SUCCEEDED"})).await;
        world.settle().await;
        world.advance(2).await;
    }
    let (events, shown) = (progress_events(&world, &id), show(&world, &id).await);
    let last = events.last().expect("the command has progress events");
    for field in ["commandId", "name", "state", "counts"] {
        assert_eq!(last[field], shown[field], "{field}");
    }
    assert_eq!((&last["state"], &last["counts"]["SUCCEEDED"]), (&json!("COMPLETED"), &json!(2)));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn control_change_publishes_a_progress_event_at_once() {
    let world = World::start().await;
    world.stack.registry.add_things("pumps", &["pump-1", "pump-2"]).expect("the group is valid");
    world.stack.registry.add_group("empty", None).expect("the group is valid");
    // The window opens later: no execution changes.
    let id = create(&world, json!({"schedule": {"window": {"start": "20:00", "end": "21:00"}}})).await;
    assert_eq!(last_state(&world, &id).await, "SCHEDULED");
    for (action, state) in [("pause", "PAUSED"), ("resume", "SCHEDULED"), ("cancel", "CANCELED")] {
        control(&world, &id, action).await;
        assert_eq!(last_state(&world, &id).await, state);
    }
    let empty = create(&world, json!({"target": {"groups": ["empty"]}})).await;
    assert_eq!(last_state(&world, &empty).await, "COMPLETED");
    world.end().await;
}
