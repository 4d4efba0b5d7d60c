//! Reports of an Atlas device: a relayed message or an echo in the shadow is success, also late.

use serde_json::json;

use super::super::relay::Relay;
use super::{THING, create, desired_command, is_clean, is_idle, state, status_and_reason, world};

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_relayed_message_is_success_and_cleans_the_shadow() {
    let world = world().await;
    let mut motor = Relay::start(&world, THING).await;
    motor.catch_up(&world).await;
    for echoes in [true, false] {
        motor.echoes = echoes;
        // A reported entry that equals the new one would hide it: no delta would follow.
        let old = json!([{"relay-command": {"message": "go", "topic": "cmd/device1/response", "ttl": 300}}]);
        world.update_shadow(THING, None, &json!({"reported": {"command": old}}));
        let command = create(&world, "go", 300).await;
        assert!(state(&world)["reported"].get("command").is_none(), "{}", state(&world));
        motor.catch_up(&world).await;
        assert_eq!(world.status(&command, THING).await, status_and_reason("SUCCEEDED", ""));
        assert!(is_clean(&world) && is_idle(&world).await, "{}", state(&world));
    }
    // The device ran both identical commands.
    assert_eq!(motor.relayed, ["go", "go"]);
    assert!(motor.is_connected());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn an_echo_in_the_shadow_is_success_when_the_relayed_message_is_lost() {
    let world = world().await;
    let mut motor = Relay::start(&world, THING).await;
    motor.catch_up(&world).await;
    motor.relays = false;
    for message in ["go", "go", "stop"] {
        let command = create(&world, message, 300).await;
        motor.catch_up(&world).await;
        let shown = world.execution(&command, THING).await;
        assert_eq!((&shown["status"], &shown["result"]), (&json!("SUCCEEDED"), &json!(message)));
        assert!(is_clean(&world) && is_idle(&world).await, "{}", state(&world));
    }
    assert_eq!(motor.relayed, ["go", "go", "stop"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_late_echo_is_applied_and_removed_and_leaves_the_next_command() {
    let world = world().await;
    let mut motor = Relay::start(&world, THING).await;
    motor.catch_up(&world).await;
    let first = create(&world, "one", 300).await;
    let echo = desired_command(&world).expect("a command");
    world.advance(300).await;
    assert!(is_clean(&world));
    let second = create(&world, "two", 300).await;
    // The device echoes the first command after its ttl.
    world.update_shadow(THING, None, &json!({"reported": {"command": echo}}));
    world.settle().await;
    let shown = world.execution(&first, THING).await;
    assert_eq!((&shown["status"], &shown["late"]), (&json!("SUCCEEDED"), &json!(true)));
    assert_eq!(world.status(&second, THING).await.0, "CREATED");
    assert_eq!(desired_command(&world).expect("a command")[0]["relay-command"]["message"], "two");
    assert!(state(&world)["reported"].get("command").is_none(), "{}", state(&world));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn an_echo_in_the_shadow_of_another_thing_is_not_applied() {
    let world = world().await;
    let command = create(&world, "go", 300).await;
    let echo = desired_command(&world).expect("a command");
    world.update_shadow("motor-2", None, &json!({"desired": {"x": 1}, "reported": {"command": echo}}));
    world.settle().await;
    assert_eq!(world.status(&command, THING).await.0, "CREATED");
    assert_eq!(world.counted("track-command", "ReportUndecodable"), 1);
    world.end().await;
}
