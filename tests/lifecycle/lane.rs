//! Lanes: one execution at a time, in order; a lane that stops, skips or supersedes.

use serde_json::{Value, json};

use super::{explanation, report, status};
use crate::world::{Device, World};

/// Creates three commands in a lane. Returns their ids and the request of the first, the only one that is sent.
async fn three_in_lane(world: &World, pump: &mut Device, lane: Value) -> ([String; 3], Value) {
    let mut commands = Vec::new();
    for _ in 0..3 {
        commands.push(world.command("pump-7", json!({"lane": lane, "ttl": 3600})).await);
    }
    let (_, request) = pump.next_json().await;
    world.settle().await;
    assert!(pump.has_nothing(), "a lane sends one execution at a time");
    (commands.try_into().expect("three commands"), request)
}

async fn execution_id(world: &World, command: &str) -> Value {
    world.execution(command, "pump-7").await["executionId"].clone()
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_lane_sends_its_executions_one_after_another() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let (commands, mut request) = three_in_lane(&world, &mut pump, json!("valve")).await;
    assert_eq!(
        explanation(&world, &commands[2]).await,
        "It waits for its turn in its lane valve. \
         If that has not come by 2027-01-15T09:00:00.000Z, it is given up (LANE_BUSY)."
    );
    for (n, command) in commands.iter().enumerate() {
        let shown = world.execution(command, "pump-7").await;
        assert_eq!((&shown["executionId"], &shown["lane"]["name"]), (&request["executionId"], &json!("valve")));
        report(&world, &mut pump, &request, "SUCCEEDED").await;
        assert_eq!(status(&world, command).await.0, "SUCCEEDED");
        if n < 2 {
            request = pump.next_json().await.1;
        }
    }
    assert!(pump.has_nothing());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_lane_with_stop_cancels_waiting_executions_after_a_failure() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let (commands, request) = three_in_lane(&world, &mut pump, json!({"name": "valve", "onFailure": "stop"})).await;
    report(&world, &mut pump, &request, "FAILED").await;
    for command in &commands[1..] {
        assert_eq!(status(&world, command).await, ("CANCELED".to_owned(), json!("LANE_STOPPED")));
    }
    assert_eq!(
        explanation(&world, &commands[2]).await,
        "An earlier command of its lane valve did not succeed, and it stops then (LANE_STOPPED). \
         Nothing more will happen."
    );
    assert!(pump.has_nothing());
    let fresh = world.command("pump-7", json!({"lane": "valve"})).await;
    report(&world, &mut pump, &json!({"executionId": execution_id(&world, &fresh).await, "attempt": 1}), "SUCCEEDED")
        .await;
    assert_eq!(status(&world, &fresh).await.0, "SUCCEEDED", "the lane is free again");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_lane_with_skip_continues_after_a_failure() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let (commands, mut request) = three_in_lane(&world, &mut pump, json!({"name": "valve", "onFailure": "skip"})).await;
    for (n, reported) in ["FAILED", "REJECTED", "SUCCEEDED"].into_iter().enumerate() {
        report(&world, &mut pump, &request, reported).await;
        assert_eq!(status(&world, &commands[n]).await.0, reported);
        if n < 2 {
            request = pump.next_json().await.1;
        }
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn canceling_the_head_of_a_lane_sends_the_next_execution() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let (commands, _) = three_in_lane(&world, &mut pump, json!({"name": "valve", "onFailure": "skip"})).await;
    assert_eq!(world.cancel(&commands[1], false).await.status, 200, "one that waits can be canceled");
    assert_eq!(world.cancel(&commands[0], false).await.status, 200);
    let (_, request) = pump.next_json().await;
    assert_eq!(request["executionId"], execution_id(&world, &commands[2]).await);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_superseding_command_cancels_the_waiting_ones() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let (commands, request) = three_in_lane(&world, &mut pump, json!("valve")).await;
    let newest = world.command("pump-7", json!({"lane": "valve", "supersede": true})).await;
    for command in &commands[1..] {
        assert_eq!(status(&world, command).await, ("CANCELED".to_owned(), json!("SUPERSEDED")));
        let shown = world.execution(command, "pump-7").await;
        let step = shown["history"].as_array().and_then(|history| history.last()).expect("a step");
        let why = format!("command {newest} of {}", shown["createdBy"].as_str().expect("a name"));
        assert_eq!(step["why"], json!(why), "{shown:#}");
    }
    assert_eq!(status(&world, &commands[0]).await.0, "CREATED", "the device already has the request");
    report(&world, &mut pump, &request, "SUCCEEDED").await;
    let (_, next) = pump.next_json().await;
    assert_eq!(next["executionId"], execution_id(&world, &newest).await);
    let shown = world.get(&format!("/commands/{newest}")).await.body;
    assert_eq!((&shown["supersede"], &shown["lane"]["onFailure"]), (&json!(true), &json!("stop")));
    world.end().await;
}
