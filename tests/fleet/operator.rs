//! What an operator does with fleet commands: creates them, reads them, pauses them, and waits for their state.

use serde_json::{Value, json};

use crate::world::{EXECUTIONS, World};

/// A world whose reconciler runs every `seconds`, at the first full minute: from there on the ticks are evenly spaced.
pub async fn world_with_ticks(seconds: &str) -> World {
    let world = World::with_parameters(&[("ReconcileSeconds", seconds)]).await;
    world.advance(60).await;
    world
}

/// Creates a command for the group `pumps`, with these members of the body in addition or instead; its id.
pub async fn create(world: &World, members: Value) -> String {
    let mut body = json!({"name": "reboot", "target": {"groups": ["pumps"]}});
    body.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
    let response = world.post("/commands", &body).await;
    assert_eq!(response.status, 202, "{body}: {response:?}");
    response.body["commandId"].as_str().expect("the response has a command id").to_owned()
}

/// As [`create`], with the delivery `topic`.
pub async fn create_with_topic(world: &World, members: Value) -> String {
    let mut body = json!({"delivery": "topic"});
    body.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
    create(world, body).await
}

/// Invokes fan-out-command for a command while the stream of its table is held: its batches become ready, and are not
/// sent.
pub async fn plan_with_held_stream(world: &World, id: &str) {
    let keys = json!({"pk": {"S": format!("C#{id}")}, "sk": {"S": "PLAN"}});
    let event =
        json!({"Records": [{"eventSource": "aws:dynamodb", "dynamodb": {"Keys": keys, "SequenceNumber": "1"}}]});
    let response = world.invoke("fan-out-command", &event.to_string()).await.expect("fan-out-command succeeds");
    assert_eq!(response["batchItemFailures"], json!([]));
}

/// The command as the API shows it.
pub async fn show(world: &World, id: &str) -> Value {
    let response = world.get(&format!("/commands/{id}")).await;
    assert_eq!(response.status, 200, "{response:?}");
    response.body
}

/// The command's state.
pub async fn state(world: &World, id: &str) -> String {
    show(world, id).await["state"].as_str().expect("a command has a state").to_owned()
}

/// One of the command's counts.
pub async fn count(world: &World, id: &str, name: &str) -> u64 {
    let shown = show(world, id).await;
    shown["counts"][name].as_u64().unwrap_or_else(|| panic!("the command has no count {name}: {shown:#}"))
}

/// Pauses or resumes the command: `action` is the end of the path.
pub async fn control(world: &World, id: &str, action: &str) {
    let response = world.request(reqwest::Method::POST, &format!("/commands/{id}/{action}"), &[], "").await;
    assert_eq!(response.status, 200, "{action}: {response:?}");
}

/// Moves the clock by one second at a time.
pub async fn pass_seconds(world: &World, seconds: u64) {
    for _ in 0..seconds {
        world.advance(1).await;
    }
}

/// Moves the clock by one second at a time, at most by `seconds`, until the command meets a condition; the command
/// then.
pub async fn wait_until(world: &World, id: &str, seconds: u64, is_met: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..seconds {
        let shown = show(world, id).await;
        if is_met(&shown) {
            return shown;
        }
        world.advance(1).await;
    }
    let shown = show(world, id).await;
    assert!(is_met(&shown), "the command does not meet the condition after {seconds} seconds: {shown:#}");
    shown
}

/// As [`wait_until`], for a state.
pub async fn wait_for_state(world: &World, id: &str, seconds: u64, state: &str) -> Value {
    wait_until(world, id, seconds, |shown| shown["state"] == state).await
}

/// Moves the clock by these steps until the command has this state; the command after the last step.
pub async fn advance_until_state(world: &World, id: &str, state: &str, steps: &[u64]) -> Value {
    let mut shown = show(world, id).await;
    for step in steps {
        if shown["state"] == state {
            break;
        }
        world.advance(*step).await;
        shown = show(world, id).await;
    }
    shown
}

/// Waits, without moving the clock, until this number of executions has this status: reports of devices are under way.
pub async fn wait_for_rows(world: &World, status: &str, count: usize) {
    let mut found = 0;
    for _ in 0..500 {
        world.settle().await;
        found = world.rows(EXECUTIONS).await.iter().filter(|row| row["status"]["S"] == status).count();
        if found == count {
            return;
        }
    }
    panic!("{found} executions are {status}, and {count} should be");
}
