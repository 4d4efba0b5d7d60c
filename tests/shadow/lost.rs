//! Shadow writes whose responses are lost, and a delta that is lost: each command runs once, and nothing is left.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use local::faults::{Fault, Transit};
use serde_json::{Value, json};

use super::relay::Relay;
use crate::world::{Device, EXECUTIONS, World};

const THING: &str = "motor-1";

/// Loses the response to the first attempt of every shadow write, or to all attempts. Returns the count of losses.
fn lose(world: &World, all: bool) -> Arc<AtomicUsize> {
    let lost = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&lost);
    world.stack.faults.plan(move |call| {
        let lose = call.operation == "IotData.UpdateThingShadow" && (all || call.attempt == 1);
        counter.fetch_add(lose.into(), Ordering::Relaxed);
        lose.then_some(Fault::AppliedThenTimeout)
    });
    lost
}

/// Creates a command in this shadow. Returns its id.
async fn create(world: &World, shadow: &str, payload: Value) -> String {
    let more = json!({"name": "relay-command", "payload": payload, "delivery": "shadow", "shadow": shadow, "ttl": 600});
    world.command(THING, more).await
}

/// Checks that the command has succeeded, at least `at_least` responses were lost, and no row is in the due index.
async fn check_success(world: &World, command: &str, lost: &AtomicUsize, at_least: usize) {
    assert!(lost.load(Ordering::Relaxed) >= at_least, "only {lost:?} responses were lost");
    world.stack.faults.clear();
    // The reconciler completes what a lost response left undone.
    world.advance(60).await;
    world.advance(60).await;
    assert_eq!(world.status(command, THING).await.0, "SUCCEEDED");
    assert!(world.rows(EXECUTIONS).await.iter().all(|row| row.get("due_at").is_none()));
}

/// Execution id and entry of each request in the deltas since the last call, in the dialect `map`.
async fn received_entries(world: &World, device: &mut Device) -> Vec<(String, Value)> {
    world.settle().await;
    let mut entries = Vec::new();
    while let Some((_, delta)) = device.try_next() {
        let delta: Value = serde_json::from_slice(&delta).expect("JSON");
        entries.extend(delta["state"]["c"].as_object().cloned().unwrap_or_default());
    }
    entries
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_request_in_the_map_is_written_once_and_removed() {
    for all in [false, true] {
        let world = World::start().await;
        let mut device = world.device(THING, &[&format!("$aws/things/{THING}/shadow/name/cmd/update/delta")]).await;
        let lost = lose(&world, all);
        let command = create(&world, "map", json!(7)).await;
        let entries = world.shadow(THING, Some("cmd"))["state"]["desired"]["c"].as_object().cloned().expect("entries");
        let (id, entry) = entries.into_iter().next().expect("an entry");
        // Every further delta has the same attempt of the same execution.
        let received = received_entries(&world, &mut device).await;
        assert!(!received.is_empty() && received.iter().all(|one| *one == (id.clone(), entry.clone())), "{received:?}");
        device.report(THING, json!({"executionId": id, "status": "SUCCEEDED"})).await;
        world.settle().await;
        assert_eq!(world.status(&command, THING).await.0, "SUCCEEDED");
        check_success(&world, &command, &lost, 2).await;
        assert!(!world.shadow(THING, Some("cmd"))["state"].to_string().contains(&id));
        assert_eq!(received_entries(&world, &mut device).await, []);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn an_atlas_command_succeeds_and_is_removed() {
    for all in [false, true] {
        let world = World::start().await;
        world.update_shadow(THING, None, &json!({"desired": {"deviceAttrib": {"motorStatus": "off"}}}));
        let mut motor = Relay::start(&world, THING).await;
        motor.catch_up(&world).await;
        let lost = lose(&world, all);
        let command = create(&world, "atlas", json!("go")).await;
        motor.catch_up(&world).await;
        assert_eq!(world.status(&command, THING).await.0, "SUCCEEDED");
        check_success(&world, &command, &lost, 2).await;
        motor.catch_up(&world).await;
        assert_eq!(motor.relayed.first(), Some(&json!("go")));
        assert!(motor.is_connected());
        assert!(!world.shadow(THING, None)["state"].to_string().contains("relay-command"));
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_desired_state_stays_after_success_and_is_removed_after_a_cancel() {
    for all in [false, true] {
        let world = World::start().await;
        let lost = lose(&world, all);
        let command = create(&world, "state", json!({"color": "blue", "power": 3})).await;
        assert_eq!(world.shadow(THING, None)["state"]["desired"], json!({"color": "blue", "power": 3}));
        world.update_shadow(THING, None, &json!({"reported": {"color": "blue", "power": 3}}));
        world.settle().await;
        assert_eq!(world.status(&command, THING).await.0, "SUCCEEDED");
        check_success(&world, &command, &lost, 1).await;
        assert_eq!(world.shadow(THING, None)["state"]["desired"], json!({"color": "blue", "power": 3}));

        // A canceled desired state is removed, also when the response to the removal is lost.
        let lost = lose(&world, all);
        let command = create(&world, "state", json!({"power": 4})).await;
        assert_eq!(world.cancel(&command, false).await.status, 200);
        assert!(world.shadow(THING, None)["state"]["desired"].get("power").is_none());
        assert!(lost.load(Ordering::Relaxed) >= 2);
        world.stack.faults.clear();
        world.advance(60).await;
        world.advance(60).await;
        assert_eq!(world.status(&command, THING).await.0, "CANCELED");
        assert!(world.rows(EXECUTIONS).await.iter().all(|row| row.get("due_at").is_none()));
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_second_attempt_of_an_atlas_command_is_written_with_the_remaining_ttl() {
    let world = World::start().await;
    world.update_shadow(THING, None, &json!({"desired": {"deviceAttrib": {"motorStatus": "off"}}}));
    let mut motor = Relay::start(&world, THING).await;
    motor.catch_up(&world).await;
    // The first delta is lost.
    world.stack.faults.messages(|message| match message.topic.ends_with("/delta") {
        true => Transit::Lost,
        false => Transit::Delivered,
    });
    let retry = json!({"attempts": 2, "wait": 60, "backoff": {"base": 0}});
    let more = json!({"name": "relay-command", "payload": "go", "delivery": "shadow", "shadow": "atlas", "ttl": 600, "retry": retry});
    let command = world.command(THING, more).await;
    let entry = || world.shadow(THING, None)["state"]["desired"]["command"][0]["relay-command"].clone();
    let first = entry();
    motor.catch_up(&world).await;
    assert_eq!(motor.relayed, Vec::<Value>::new());
    world.stack.faults.clear();
    world.advance(120).await;
    let second = entry();
    assert_eq!((&second["topic"], &second["message"]), (&first["topic"], &json!("go")));
    let ttl = |entry: &Value| entry["ttl"].as_u64().expect("seconds");
    assert!((ttl(&first) - 120..=ttl(&first) - 60).contains(&ttl(&second)), "{first} {second}");
    motor.catch_up(&world).await;
    assert_eq!(motor.relayed, ["go"]);
    let shown = world.execution(&command, THING).await;
    assert_eq!((&shown["status"], &shown["attempt"], &shown["late"]), (&json!("SUCCEEDED"), &json!(2), &json!(false)));
    world.advance(60).await;
    let state = world.shadow(THING, None)["state"].to_string();
    assert!(!state.contains("relay-command"), "{state}");
    assert!(world.rows(EXECUTIONS).await.iter().all(|row| row.get("due_at").is_none()));
    assert!(motor.is_connected());
    world.end().await;
}
