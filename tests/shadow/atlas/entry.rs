//! The entry in the shadow: exactly the members that the device echoes, run once, and no other write while it is there.

use local::faults::Transit;
use reqwest::Method;
use serde_json::{Value, json};

use super::super::relay::Relay;
use super::{THING, body, create, desired_command, is_clean, state, world};

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn an_entry_has_exactly_the_three_members_that_the_device_echoes() {
    let world = world().await;
    let mut motor = Relay::start(&world, THING).await;
    motor.catch_up(&world).await;
    motor.relays = false;
    for (payload, message) in
        [(json!("go"), json!("go")), (json!({"id": [1]}), json!({"id": [1]})), (Value::Null, json!(""))]
    {
        let more = json!({"name": "relay-command", "payload": payload, "delivery": "shadow", "ttl": 300});
        world.command(THING, more).await;
        let entry = desired_command(&world).expect("a command")[0]["relay-command"].clone();
        let members: Vec<&String> = entry.as_object().expect("an object").keys().collect();
        assert_eq!(members, ["message", "topic", "ttl"]);
        assert_eq!((&entry["message"], &entry["ttl"]), (&message, &json!(295)));
        motor.catch_up(&world).await;
        assert_eq!(motor.relayed.last(), Some(&message));
        assert!(is_clean(&world) && state(&world).get("delta").is_none(), "{}", state(&world));
    }
    assert!(motor.is_connected());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_delta_that_is_delivered_twice_runs_once() {
    let world = world().await;
    let mut motor = Relay::start(&world, THING).await;
    motor.catch_up(&world).await;
    world.stack.faults.messages(|message| match message.topic.ends_with("/delta") {
        true => Transit::Twice,
        false => Transit::Delivered,
    });
    let command = create(&world, "go", 300).await;
    motor.catch_up(&world).await;
    assert_eq!(motor.relayed, ["go"]);
    assert_eq!(world.status(&command, THING).await.0, "SUCCEEDED");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn the_shadow_is_not_written_while_it_holds_a_command() {
    let world = world().await;
    let mut body = body("go", 300);
    body["target"] = json!({"things": [THING]});
    let post = async || world.request(Method::POST, "/commands", &[("idempotency-key", "k-1")], body.to_string()).await;
    assert_eq!(post().await.status, 202);
    let version = world.shadow(THING, None)["version"].clone();
    // Neither repeated POSTs, nor ticks, nor another command write to the shadow.
    for seconds in [0, 1, 15, 30, 60] {
        world.advance(seconds).await;
        assert_eq!(post().await.status, 202);
    }
    create(&world, "later", 300).await;
    world.settle().await;
    assert_eq!(world.shadow(THING, None)["version"], version);
    let mut motor = Relay::start(&world, THING).await;
    motor.catch_up(&world).await;
    assert_eq!(motor.relayed, ["go", "later"]);
    world.end().await;
}
