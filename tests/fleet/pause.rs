//! A fleet command is paused, resumed and called off, wherever it is just then.

use device::fleet::{Finish, Knobs};
use local::faults::Fault;
use serde_json::{Value, json};

use super::operator::{all, ask, count, pass, shown, state, stored, tell, things, ticking, until, until_state};
use crate::world::{COMMANDS, EXECUTIONS, START, World};

/// Plans a command by hand, while its table's stream is held: its batches are ready, and nobody knows.
async fn plan(world: &World, id: &str) {
    let keys = json!({"pk": {"S": format!("C#{id}")}, "sk": {"S": "PLAN"}});
    let event = json!({"Records": [{"dynamodb": {"Keys": keys, "SequenceNumber": "1"}}]});
    let answer = world.invoke("fan-out-command", &event.to_string()).await.expect("planned");
    assert_eq!(answer["batchItemFailures"], json!([]));
}

/// A world with this many things, and a command for them whose batches are ready.
async fn ready(world: &World, more: Value) -> String {
    world.stack.streams.hold(COMMANDS);
    let id = ask(world, more).await;
    plan(world, &id).await;
    id
}

/// The statuses of all executions, and how many there are of each but the empty ones.
fn statuses(shown: &Value) -> Value {
    let all = ["CREATED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED", "TIMED_OUT", "CANCELED", "waiting"];
    let some = all.iter().filter(|name| shown["counts"][**name] != json!(0));
    some.map(|name| ((*name).to_owned(), shown["counts"][*name].clone())).collect::<serde_json::Map<_, _>>().into()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_ready_stays_until_it_is_resumed_and_has_its_whole_ttl_then() {
    let world = World::start().await;
    let fleet = things(&world, "pump", 250, Knobs::default()).await;
    let id = ready(&world, json!({"ttl": 100})).await;
    tell(&world, &id, "pause").await;
    world.stack.streams.release(COMMANDS);
    pass(&world, 300).await;
    assert_eq!((state(&world, &id).await.as_str(), fleet.stats().requests), ("PAUSED", 0));
    assert_eq!(world.rows(EXECUTIONS).await.len(), 0);
    tell(&world, &id, "resume").await;
    let done = until_state(&world, &id, 90, "COMPLETED").await;
    assert_eq!(fleet.stats().requests, 250);
    let until = START + 300 + 100;
    assert!(fleet.runs().iter().all(|run| (until..until + 20).contains(&(run.expires_at_ms / 1000))), "its own ttl");
    assert_eq!(statuses(&done), json!({"SUCCEEDED": 250}));
    fleet.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_as_it_was_said_last_however_quickly() {
    let world = World::start().await;
    let fleet = things(&world, "pump", 150, Knobs::default()).await;
    let id = ready(&world, json!({})).await;
    for what in ["pause", "resume", "pause"] {
        tell(&world, &id, what).await;
    }
    world.stack.streams.release(COMMANDS);
    pass(&world, 70).await;
    assert_eq!((state(&world, &id).await.as_str(), fleet.stats().requests), ("PAUSED", 0));
    world.stack.streams.hold(COMMANDS);
    for what in ["resume", "pause", "pause", "resume"] {
        tell(&world, &id, what).await;
    }
    world.stack.streams.release(COMMANDS);
    let done = until_state(&world, &id, 90, "COMPLETED").await;
    assert_eq!((statuses(&done), fleet.stats().requests), (json!({"SUCCEEDED": 150}), 150));
    fleet.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_that_are_out_are_watched_while_it_is_paused() {
    let world = ticking("10").await;
    let mute = things(&world, "mute", 10, all(|knobs| knobs.mute = 1.0)).await;
    let rest = things(&world, "pump", 20, Knobs::default()).await;
    let names: Vec<&String> = mute.things().iter().chain(rest.things()).collect();
    let rollout = json!({"maximumPerMinute": 60});
    let id = ask(&world, json!({"target": {"things": names}, "ttl": 30, "rollout": rollout})).await;
    world.stack.settle().await;
    tell(&world, &id, "pause").await;
    pass(&world, 45).await;
    let paused = shown(&world, &id).await;
    assert_eq!((&paused["state"], statuses(&paused)), (&json!("PAUSED"), json!({"TIMED_OUT": 10, "waiting": 20})));
    assert_eq!(rest.stats().requests, 0);
    tell(&world, &id, "resume").await;
    let done = until_state(&world, &id, 40, "COMPLETED").await;
    assert_eq!(statuses(&done), json!({"TIMED_OUT": 10, "SUCCEEDED": 20}));
    mute.stop().await;
    rest.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_paused_can_be_called_off() {
    let world = World::start().await;
    let fleet = things(&world, "pump", 150, Knobs::default()).await;
    let id = ready(&world, json!({})).await;
    tell(&world, &id, "pause").await;
    world.stack.streams.release(COMMANDS);
    pass(&world, 5).await;
    assert_eq!(world.cancel(&id, false).await.status, 200);
    pass(&world, 200).await;
    let shown = shown(&world, &id).await;
    assert_eq!((&shown["state"], statuses(&shown)), (&json!("CANCELED"), json!({"waiting": 150})));
    assert_eq!((fleet.stats().requests, world.rows(EXECUTIONS).await.len()), (0, 0));
    let resumed = world.request(reqwest::Method::POST, &format!("/commands/{id}/resume"), &[], "").await;
    assert_eq!(resumed.status, 409, "{resumed:?}");
    fleet.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_planned_can_be_called_off() {
    let world = World::start().await;
    let names: Vec<String> = (0..3000).map(|n| format!("pump-{n:04}")).collect();
    world.stack.registry.add_things("pumps", &names).expect("a group");
    let id = ready(&world, json!({"delivery": "topic"})).await;
    let planned = shown(&world, &id).await["plan"].clone();
    assert_eq!(planned["complete"], false, "{planned}");
    assert_eq!(world.cancel(&id, false).await.status, 200);
    world.stack.streams.release(COMMANDS);
    pass(&world, 130).await;
    let shown = shown(&world, &id).await;
    assert_eq!((&shown["state"], &shown["plan"]["things"]), (&json!("CANCELED"), &planned["things"]));
    assert_eq!(world.rows(EXECUTIONS).await.len(), 0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_force_those_that_run_are_stopped_too() {
    let world = World::start().await;
    let slow = things(&world, "pump", 110, all(|knobs| knobs.slow = 1.0)).await;
    let mute = things(&world, "mute", 20, all(|knobs| knobs.mute = 1.0)).await;
    let id = ask(&world, json!({})).await;
    stored(&world, "IN_PROGRESS", 110).await;
    assert_eq!(world.cancel(&id, false).await.status, 200);
    stored(&world, "CANCELED", 20).await;
    stored(&world, "IN_PROGRESS", 110).await;
    assert_eq!((slow.stats().cancels, mute.stats().cancels), (0, 20));
    assert_eq!(world.cancel(&id, true).await.status, 200);
    let done = until(&world, &id, 10, |shown| statuses(shown) == json!({"CANCELED": 130})).await;
    assert_eq!(
        (&done["state"], &done["counts"]["byReason"]["CANCELED_BY_OPERATOR"]),
        (&json!("CANCELED"), &json!(130))
    );
    assert_eq!((slow.stats().cancels, mute.stats().cancels), (110, 20));
    assert!(slow.runs().iter().all(|run| matches!(run.ended, Some((_, Finish::Stopped)))));
    slow.stop().await;
    mute.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_that_run_end_by_themselves_after_it_is_called_off() {
    let world = World::start().await;
    let slow = things(&world, "pump", 5, all(|knobs| knobs.slow = 1.0)).await;
    let lost = things(&world, "lost", 4, all(|knobs| knobs.crash = 1.0)).await;
    let id = ask(&world, json!({"ttl": 60, "timeout": 120})).await;
    stored(&world, "IN_PROGRESS", 9).await;
    assert_eq!(world.cancel(&id, false).await.status, 200);
    pass(&world, 190).await;
    let shown = shown(&world, &id).await;
    assert_eq!((&shown["state"], statuses(&shown)), (&json!("CANCELED"), json!({"SUCCEEDED": 5, "TIMED_OUT": 4})));
    slow.stop().await;
    lost.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_claimed_a_batch_and_died_sends_nothing_after_the_pause() {
    let world = World::start().await;
    let fleet = things(&world, "pump", 40, Knobs::default()).await;
    // Its calls: the batch is read, and claimed.
    world.stack.faults.next("flaghoist-dispatch-commands", 2, Fault::KillAfter);
    let id = ready(&world, json!({"ttl": 600})).await;
    world.stack.streams.release(COMMANDS);
    tell(&world, &id, "pause").await;
    pass(&world, 200).await;
    assert_eq!(world.stack.faults.pending(), 0);
    let requests = fleet.stats().requests;
    assert!(requests == 0 || requests == 40, "{requests}: all of a batch, or nothing");
    tell(&world, &id, "resume").await;
    let done = until_state(&world, &id, 200, "COMPLETED").await;
    assert_eq!((statuses(&done), fleet.stats().requests), (json!({"SUCCEEDED": 40}), 40));
    assert_eq!(count(&world, &id, "total").await, 40);
    fleet.stop().await;
    world.end().await;
}
