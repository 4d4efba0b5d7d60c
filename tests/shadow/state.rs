//! Desired states: attributes in `desired` that succeed when `reported` has them too.

use serde_json::{Value, json};

use crate::world::{Device, EXECUTIONS, World};

const THING: &str = "light-1";

/// Creates a command with these desired attributes. Returns its id.
async fn create(world: &World, attributes: Value, ttl: u32) -> String {
    world
        .command(
            THING,
            json!({"name": "set", "payload": attributes, "delivery": "shadow", "shadow": "state", "ttl": ttl}),
        )
        .await
}

fn section(world: &World, section: &str) -> Value {
    world.shadow(THING, None)["state"][section].clone()
}

/// Reports these attributes, and waits until they are handled.
async fn report(world: &World, attributes: Value) {
    world.update_shadow(THING, None, &json!({"reported": attributes}));
    world.settle().await;
}

/// Whether no row is in the due index.
async fn is_idle(world: &World) -> bool {
    world.rows(EXECUTIONS).await.iter().all(|row| row.get("due_at").is_none())
}

async fn status(world: &World, command: &str) -> String {
    world.status(command, THING).await.0
}

/// The device reports the attributes of the next delta, with the delta's client token. Returns the delta.
async fn obey_delta(device: &mut Device) -> Value {
    let (_, delta) = device.next_json().await;
    let report = json!({"state": {"reported": delta["state"]}, "clientToken": delta["clientToken"]});
    assert!(device.publish(&format!("$aws/things/{THING}/shadow/update"), report.to_string()).await);
    delta
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_desired_state_succeeds_when_the_device_reports_it() {
    let world = World::start().await;
    let mut light = world.device(THING, &[&format!("$aws/things/{THING}/shadow/update/delta")]).await;
    for attributes in
        [json!({"color": "blue"}), json!({"color": "red", "power": 11.9}), json!({"locked": false, "n": {"a": [1, 2]}})]
    {
        let command = create(&world, attributes.clone(), 300).await;
        let delta = obey_delta(&mut light).await;
        let id = world.execution(&command, THING).await["executionId"].clone();
        assert_eq!((&delta["state"], &delta["clientToken"]), (&attributes, &id));
        world.settle().await;
        assert_eq!(status(&world, &command).await, "SUCCEEDED");
        assert!(is_idle(&world).await);
    }
    assert_eq!(section(&world, "desired")["color"], "red", "a satisfied attribute stays in desired");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_desired_state_of_a_named_shadow_is_not_satisfied_by_another_shadow() {
    let world = World::start().await;
    let more = json!({"payload": {"speed": 3}, "delivery": "shadow", "shadow": "state/config"});
    let command = world.command(THING, more).await;
    report(&world, json!({"speed": 3})).await;
    assert_eq!(status(&world, &command).await, "CREATED");
    world.update_shadow(THING, Some("config"), &json!({"reported": {"speed": 3.0}}));
    world.settle().await;
    assert_eq!(status(&world, &command).await, "SUCCEEDED");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_partly_reported_desired_state_has_not_succeeded() {
    let world = World::start().await;
    let command = create(&world, json!({"color": "blue", "power": 3}), 300).await;
    report(&world, json!({"color": "blue"})).await;
    assert_eq!(status(&world, &command).await, "CREATED");
    report(&world, json!({"power": "3"})).await;
    assert_eq!(status(&world, &command).await, "CREATED");
    report(&world, json!({"power": 3, "more": true})).await;
    assert_eq!(status(&world, &command).await, "SUCCEEDED");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_newer_value_for_an_attribute_supersedes_the_older_desired_state_only() {
    let world = World::start().await;
    let color = create(&world, json!({"color": "blue", "fade": 1}), 300).await;
    let power = create(&world, json!({"power": 3}), 300).await;
    assert_eq!(section(&world, "desired"), json!({"color": "blue", "fade": 1, "power": 3}));
    let newer = create(&world, json!({"color": "red"}), 300).await;
    assert_eq!(world.status(&color, THING).await, ("CANCELED".to_owned(), "SUPERSEDED".to_owned()));
    assert_eq!(
        section(&world, "desired"),
        json!({"color": "red", "power": 3}),
        "the other attributes of the superseded state are removed"
    );
    report(&world, json!({"color": "red"})).await;
    assert_eq!(
        (status(&world, &newer).await.as_str(), status(&world, &power).await.as_str()),
        ("SUCCEEDED", "CREATED")
    );
    report(&world, json!({"power": 3})).await;
    assert_eq!(status(&world, &power).await, "SUCCEEDED");
    // A slow sender may write the superseded state late, so the shadow is cleaned up again.
    world.advance(60).await;
    assert!(is_idle(&world).await);
    assert_eq!(status(&world, &color).await, "CANCELED");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn an_expired_desired_state_is_removed_except_for_satisfied_attributes() {
    let world = World::start().await;
    world.update_shadow(THING, None, &json!({"desired": {"other": 1}}));
    let command = create(&world, json!({"color": "blue", "power": 3, "name": "x"}), 300).await;
    report(&world, json!({"color": "blue", "power": 4})).await;
    // Another writer desires another value.
    world.update_shadow(THING, None, &json!({"desired": {"name": "y"}}));
    world.advance(300).await;
    assert_eq!(world.status(&command, THING).await, ("TIMED_OUT".to_owned(), "NO_RESPONSE".to_owned()));
    assert_eq!(section(&world, "desired"), json!({"other": 1, "color": "blue", "name": "y"}));
    assert!(is_idle(&world).await);

    let command = create(&world, json!({"power": 5}), 300).await;
    assert_eq!(world.cancel(&command, false).await.status, 200);
    assert!(section(&world, "desired").get("power").is_none());
    world.advance(60).await;
    assert!(is_idle(&world).await);
    // A report after the cancel and the clean-up does not complete the execution.
    report(&world, json!({"power": 5})).await;
    assert_eq!(status(&world, &command).await, "CANCELED");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_desired_state_that_is_already_reported_succeeds_at_once() {
    let world = World::start().await;
    report(&world, json!({"color": "blue"})).await;
    let command = create(&world, json!({"color": "blue"}), 300).await;
    world.settle().await;
    assert_eq!(status(&world, &command).await, "SUCCEEDED");
    assert!(is_idle(&world).await);
    world.end().await;
}
