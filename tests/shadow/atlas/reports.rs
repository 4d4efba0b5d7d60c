//! Reports of an Atlas device: a relayed message or an echo in the shadow is success, also late.

use serde_json::json;

use super::super::relay::Relay;
use super::{THING, create, desired_command, is_clean, is_idle, state, status_and_reason, world, world_with};

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

/// A device that relays every message to a topic of its own choice, and reports nothing in its shadow.
#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_message_relayed_to_a_topic_without_an_id_is_that_of_the_command_in_the_shadow() {
    let world = world_with(&[("ResponseTopic", "relay-command/response")]).await;
    let mut motor = world.device(THING, &[]).await;
    let mut other = world.device("motor-2", &[]).await;
    let relayed = |message: &str| json!({"msg": message, "deviceId": THING}).to_string();
    for topic in ["cmd/motor-1/response", "cmd/motor-1/resp", "relay-command/response"] {
        let command = create(&world, "go", 300).await;
        let waiting = create(&world, "go", 300).await;
        // Of another application's command, and from another device on the topic that both share.
        assert!(motor.publish(topic, relayed("stop")).await);
        assert!(other.publish("relay-command/response", relayed("go")).await);
        world.settle().await;
        assert_eq!(world.status(&command, THING).await.0, "CREATED", "{topic}");
        assert!(motor.publish(topic, relayed("go")).await);
        world.settle().await;
        let shown = world.execution(&command, THING).await;
        assert_eq!((&shown["status"], &shown["result"]), (&json!("SUCCEEDED"), &json!("go")), "{topic}");
        // The next one is in the shadow now, and nothing was said of it.
        assert_eq!(world.status(&waiting, THING).await.0, "CREATED", "{topic}");
        assert!(motor.publish(topic, relayed("go")).await);
        world.settle().await;
        assert_eq!(world.status(&waiting, THING).await.0, "SUCCEEDED", "{topic}");
        assert!(is_clean(&world) && is_idle(&world).await, "{}", state(&world));
    }
    // Of a command that is in no shadow nothing is relayed.
    let direct = world.command(THING, json!({"payload": "go", "delivery": "topic"})).await;
    assert!(motor.publish("cmd/motor-1/response", relayed("go")).await);
    world.settle().await;
    assert_eq!(world.status(&direct, THING).await.0, "CREATED");
    assert!(motor.publish("relay-command/response", "SUCCESS").await);
    world.settle().await;
    assert_eq!(world.status(&direct, THING).await.0, "SUCCEEDED", "words count there as well");
    world.end().await;
}
