//! Wished states: attributes in `desired`, done when `reported` has them too.

use serde_json::{Value, json};

use crate::world::{Device, EXECUTIONS, World};

const THING: &str = "light-1";

async fn wish(world: &World, attributes: Value, ttl: u32) -> String {
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

async fn reported(world: &World, attributes: Value) {
    world.update_shadow(THING, None, &json!({"reported": attributes}));
    world.stack.settle().await;
}

async fn is_owed_nothing(world: &World) -> bool {
    world.rows(EXECUTIONS).await.iter().all(|row| row.get("due_at").is_none())
}

async fn status(world: &World, command: &str) -> String {
    world.status(command, THING).await.0
}

/// A device that reports whatever it is wished to be, under the token that the delta carries.
async fn obeys(device: &mut Device) -> Value {
    let (_, delta) = device.next_json().await;
    let report = json!({"state": {"reported": delta["state"]}, "clientToken": delta["clientToken"]});
    assert!(device.publish(&format!("$aws/things/{THING}/shadow/update"), report.to_string()).await);
    delta
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_has_succeeded_when_the_device_is_as_it_was_wished() {
    let world = World::start().await;
    let mut light = world.device(THING, &[&format!("$aws/things/{THING}/shadow/update/delta")]).await;
    for wished in
        [json!({"color": "blue"}), json!({"color": "red", "power": 11.9}), json!({"locked": false, "n": {"a": [1, 2]}})]
    {
        let command = wish(&world, wished.clone(), 300).await;
        let delta = obeys(&mut light).await;
        let id = world.execution(&command, THING).await["executionId"].clone();
        assert_eq!((&delta["state"], &delta["clientToken"]), (&wished, &id));
        world.stack.settle().await;
        assert_eq!(status(&world, &command).await, "SUCCEEDED");
        assert!(is_owed_nothing(&world).await);
    }
    assert_eq!(section(&world, "desired")["color"], "red", "what has come true stays wished");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_in_a_named_shadow_is_not_met_in_another() {
    let world = World::start().await;
    let more = json!({"payload": {"speed": 3}, "delivery": "shadow", "shadow": "state/config"});
    let command = world.command(THING, more).await;
    reported(&world, json!({"speed": 3})).await;
    assert_eq!(status(&world, &command).await, "CREATED");
    world.update_shadow(THING, Some("config"), &json!({"reported": {"speed": 3.0}}));
    world.stack.settle().await;
    assert_eq!(status(&world, &command).await, "SUCCEEDED");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_a_wish_is_not_the_wish() {
    let world = World::start().await;
    let command = wish(&world, json!({"color": "blue", "power": 3}), 300).await;
    reported(&world, json!({"color": "blue"})).await;
    assert_eq!(status(&world, &command).await, "CREATED");
    reported(&world, json!({"power": "3"})).await;
    assert_eq!(status(&world, &command).await, "CREATED");
    reported(&world, json!({"power": 3, "more": true})).await;
    assert_eq!(status(&world, &command).await, "SUCCEEDED");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_wish_for_the_same_attribute_takes_the_place_of_an_older_one_and_others_stay() {
    let world = World::start().await;
    let color = wish(&world, json!({"color": "blue", "fade": 1}), 300).await;
    let power = wish(&world, json!({"power": 3}), 300).await;
    assert_eq!(section(&world, "desired"), json!({"color": "blue", "fade": 1, "power": 3}));
    let newer = wish(&world, json!({"color": "red"}), 300).await;
    assert_eq!(world.status(&color, THING).await, ("CANCELED".to_owned(), "SUPERSEDED".to_owned()));
    assert_eq!(
        section(&world, "desired"),
        json!({"color": "red", "power": 3}),
        "the rest of the older one is not wished any more"
    );
    reported(&world, json!({"color": "red"})).await;
    assert_eq!(
        (status(&world, &newer).await.as_str(), status(&world, &power).await.as_str()),
        ("SUCCEEDED", "CREATED")
    );
    reported(&world, json!({"power": 3})).await;
    assert_eq!(status(&world, &power).await, "SUCCEEDED");
    // Whoever wrote the older one might have been slow: it is looked for again.
    world.advance(60).await;
    assert!(is_owed_nothing(&world).await);
    assert_eq!(status(&world, &color).await, "CANCELED");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_that_expires_is_not_wished_any_more_unless_it_has_come_true() {
    let world = World::start().await;
    world.update_shadow(THING, None, &json!({"desired": {"mine": 1}}));
    let command = wish(&world, json!({"color": "blue", "power": 3, "name": "x"}), 300).await;
    reported(&world, json!({"color": "blue", "power": 4})).await;
    // Someone else wishes otherwise.
    world.update_shadow(THING, None, &json!({"desired": {"name": "theirs"}}));
    world.advance(300).await;
    assert_eq!(world.status(&command, THING).await, ("TIMED_OUT".to_owned(), "NO_RESPONSE".to_owned()));
    assert_eq!(section(&world, "desired"), json!({"mine": 1, "color": "blue", "name": "theirs"}));
    assert!(is_owed_nothing(&world).await);

    let command = wish(&world, json!({"power": 5}), 300).await;
    assert_eq!(world.cancel(&command, false).await.status, 200);
    assert!(section(&world, "desired").get("power").is_none());
    world.advance(60).await;
    assert!(is_owed_nothing(&world).await);
    // What the device does then is its own affair.
    reported(&world, json!({"power": 5})).await;
    assert_eq!(status(&world, &command).await, "CANCELED");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_that_has_come_true_already_succeeds_at_once() {
    let world = World::start().await;
    reported(&world, json!({"color": "blue"})).await;
    let command = wish(&world, json!({"color": "blue"}), 300).await;
    world.stack.settle().await;
    assert_eq!(status(&world, &command).await, "SUCCEEDED");
    assert!(is_owed_nothing(&world).await);
    world.end().await;
}
