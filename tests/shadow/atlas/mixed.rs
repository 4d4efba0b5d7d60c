//! Commands of the dialect `atlas` and desired states on one classic shadow: neither writes it while the other does.

use serde_json::{Value, json};

use super::super::relay::Relay;
use super::{THING, create, desired_command, is_clean, is_idle, state, world};
use crate::world::World;

/// Creates a command with these desired attributes of the classic shadow. Returns its id.
async fn set(world: &World, attributes: Value) -> String {
    let more = json!({"name": "set", "payload": attributes, "delivery": "shadow", "shadow": "state", "ttl": 300});
    world.command(THING, more).await
}

/// Reports the success of a command.
async fn succeed(world: &World, command: &str) {
    let id = world.execution(command, THING).await["executionId"].clone();
    let mut gateway = world.device("gateway", &[]).await;
    gateway.report(THING, json!({"executionId": id, "status": "SUCCEEDED"})).await;
    world.settle().await;
    gateway.leave().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_desired_state_does_not_send_an_open_command_to_its_device_again() {
    let world = world().await;
    let mut motor = Relay::start(&world, THING).await;
    motor.catch_up(&world).await;
    (motor.relays, motor.echoes) = (false, false);
    let command = create(&world, "go", 300).await;
    motor.catch_up(&world).await;
    assert_eq!(motor.relayed.len(), 1);
    let on = set(&world, json!({"deviceAttrib": {"motorStatus": "on"}})).await;
    motor.catch_up(&world).await;
    assert_eq!((motor.relayed.len(), &state(&world)["desired"]["deviceAttrib"]["motorStatus"]), (1, &json!("off")));
    let waiting = world.get(&format!("/commands/{on}/executions/{THING}?explain=true")).await.body;
    assert_eq!((&waiting["status"], &waiting["lane"]["name"]), (&json!("CREATED"), &json!("$classic")), "{waiting:#}");
    (motor.relays, motor.echoes) = (true, true);
    succeed(&world, &command).await;
    motor.catch_up(&world).await;
    assert_eq!((motor.relayed.len(), &state(&world)["reported"]["deviceAttrib"]["motorStatus"]), (1, &json!("on")));
    assert_eq!(world.status(&on, THING).await.0, "SUCCEEDED");
    assert!(is_clean(&world) && is_idle(&world).await, "{}", state(&world));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_command_waits_for_desired_states_and_those_behind_it_for_its_end() {
    let world = world().await;
    let first = set(&world, json!({"a": 1})).await;
    let beside = set(&world, json!({"c": 1})).await;
    let command = create(&world, "go", 300).await;
    let behind = set(&world, json!({"b": 1})).await;
    let desired = |name: &str| state(&world)["desired"][name].clone();
    assert_eq!((desired("a"), desired("c"), desired("b")), (json!(1), json!(1), Value::Null));
    assert_eq!(desired_command(&world), None);
    // It takes the place of the first one, and waits for the command all the same.
    let newer = set(&world, json!({"a": 2})).await;
    assert_eq!(world.status(&first, THING).await.1, "SUPERSEDED");
    assert_eq!((desired("a"), desired_command(&world)), (Value::Null, None));
    succeed(&world, &beside).await;
    assert!(desired_command(&world).is_some(), "{}", state(&world));
    assert_eq!((desired("a"), desired("b")), (Value::Null, Value::Null));
    succeed(&world, &command).await;
    assert_eq!((desired("a"), desired("b"), desired_command(&world)), (json!(2), json!(1), None));
    for id in [&behind, &newer] {
        succeed(&world, id).await;
    }
    assert!(is_clean(&world), "{}", state(&world));
    world.advance(30).await;
    assert!(is_idle(&world).await);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_waiting_command_that_is_canceled_lets_those_behind_it_go() {
    let world = world().await;
    set(&world, json!({"a": 1})).await;
    let command = create(&world, "go", 300).await;
    set(&world, json!({"b": 1})).await;
    set(&world, json!({"c": 1})).await;
    assert_eq!(world.cancel(&command, false).await.status, 200);
    world.settle().await;
    let desired = state(&world)["desired"].clone();
    assert_eq!((&desired["a"], &desired["b"], &desired["c"]), (&json!(1), &json!(1), &json!(1)), "{desired}");
    assert_eq!(desired_command(&world), None);
    world.advance(330).await;
    assert!(is_idle(&world).await);
    world.end().await;
}
