//! Whether a device is connected, in its shadow and in the explanation of an execution.

use serde_json::{Value, json};

use crate::world::World;

async fn world(things: &str, shadow: &str) -> World {
    World::with_parameters(&[("ConnectedShadow", shadow), ("ConnectedThings", things)]).await
}

fn reported(world: &World, shadow: Option<&str>) -> Value {
    world.shadow("pump-7", shadow)["state"]["reported"].clone()
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn the_shadow_says_whether_its_device_is_connected_and_since_when() {
    for (shadow, name) in [("presence", Some("presence")), ("classic", None)] {
        let world = world("existing", shadow).await;
        world.update_shadow("pump-7", name, &json!({"desired": {"a": 1}, "reported": {"a": 1}}));
        for n in 1..=3 {
            let device = world.thing("pump-7").await;
            world.settle().await;
            let now = world.stack.clock.now_ms();
            let shown = reported(&world, name);
            assert_eq!(
                (&shown["connected"], &shown["connectedAt"], &shown["a"]),
                (&json!(true), &json!(now), &json!(1))
            );
            world.advance(10).await;
            device.leave().await;
            world.settle().await;
            let shown = reported(&world, name);
            assert_eq!((&shown["connected"], &shown["connectedAt"]), (&json!(false), &json!(now + 10_000)), "{n}");
        }
        // A client that takes the place of another one with the same id: the end of the first comes after the begin.
        let first = world.thing("pump-7").await;
        let second = world.thing("pump-7").await;
        world.settle().await;
        assert_eq!(reported(&world, name)["connected"], true);
        drop((first, second));
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn only_a_thing_with_the_shadow_has_it_unless_it_is_asked_for() {
    for (things, exists) in [("existing", false), ("all", true)] {
        let world = world(things, "presence").await;
        world.update_shadow("pump-7", None, &json!({"reported": {"a": 1}}));
        let device = world.thing("pump-7").await;
        let app = world.device("an-app.1", &[]).await;
        world.settle().await;
        assert_eq!(reported(&world, Some("presence"))["connected"], if exists { json!(true) } else { Value::Null });
        assert_eq!(reported(&world, None), json!({"a": 1}));
        drop((device, app));
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_device_or_its_last_will_says_so_itself_and_what_it_says_wrong_is_counted() {
    let world = world("all", "presence").await;
    // The core of the device, which is connected itself.
    let mut core = world.device("core-1", &[]).await;
    for (message, connected) in [
        (r#"{"connected":true}"#, true),
        (r#"{"connected":false,"battery":3}"#, false),
        (r#"{"connected":"yes"}"#, false),
        ("{}", false),
        ("gone", false),
        (r#"{"connected":true}"#, true),
    ] {
        world.advance(1).await;
        assert!(core.publish("things/pump-7/connected", message).await);
        world.settle().await;
        assert_eq!(reported(&world, Some("presence"))["connected"], connected, "{message}");
    }
    assert_eq!(world.counted("dispatch-commands", "PresenceUndecodable"), 3);
    assert!(world.stack.sqs.peek("flaghoist-failures").is_empty());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn an_explanation_says_since_when_its_device_is_offline() {
    let world = World::start().await;
    let explained = async |command: &str| {
        let response = world.get(&format!("/commands/{command}/executions/pump-7?explain")).await;
        assert_eq!(response.status, 200, "{response:?}");
        let text = response.body["explanation"].as_str().expect("an explanation").to_owned();
        (response.body["connection"].clone(), text)
    };
    let command = world.command("pump-7", json!({"ttl": 3600})).await;
    let (connection, text) = explained(&command).await;
    assert_eq!(connection, json!({"connected": false, "since": null}));
    assert!(!text.contains("offline"), "{text}");

    let mut pump = world.thing("pump-7").await;
    let connected_at = world.now();
    let (_, request) = pump.next_json().await;
    world.settle().await;
    world.advance(5).await;
    let (connection, text) = explained(&command).await;
    assert_eq!(connection, json!({"connected": true, "since": connected_at}));
    assert!(!text.contains("offline"), "{text}");

    pump.leave().await;
    let left_at = world.now();
    world.advance(5).await;
    let (connection, text) = explained(&command).await;
    assert_eq!((&connection["connected"], &connection["since"]), (&json!(false), &json!(left_at)));
    assert!(connection["disconnectReason"].as_str().is_some_and(|reason| !reason.is_empty()), "{connection}");
    assert!(text.ends_with(&format!(" pump-7 has been offline since {left_at}.")), "{text}");

    let mut pump = world.thing("pump-7").await;
    pump.report("pump-7", json!({"executionId": request["executionId"], "status": "SUCCEEDED"})).await;
    pump.leave().await;
    world.settle().await;
    let (connection, text) = explained(&command).await;
    assert_eq!(connection["connected"], false);
    assert!(!text.contains("offline"), "it has ended: {text}");
    let shown = world.execution(&command, "pump-7").await;
    assert!(shown.get("connection").is_none(), "{shown}");
    world.end().await;
}
