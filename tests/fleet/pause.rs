//! Pause, resume and cancel of a fleet command while its batches are ready, claimed or sent.

use device::fleet::{BehaviourShares, RunOutcome};
use local::faults::Fault;
use serde_json::{Map, Value, json};

use super::operator::{
    control, count, create, pass_seconds, plan_with_held_stream, show, state, wait_for_rows, wait_for_state,
    wait_until, world_with_ticks,
};
use super::simulated_things::{shares, start_things};
use crate::world::{COMMANDS, EXECUTIONS, START, World};

/// Creates a command whose batches are ready; the stream of commands stays held. Its id.
async fn create_ready(world: &World, members: Value) -> String {
    world.stack.streams.hold(COMMANDS);
    let id = create(world, members).await;
    plan_with_held_stream(world, &id).await;
    id
}

/// The counts of each status and of the things without an execution, without zeros.
fn counts(shown: &Value) -> Value {
    let names =
        ["CREATED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED", "TIMED_OUT", "CANCELED", "waiting", "notAsked"];
    let counts = names.iter().filter(|name| shown["counts"][**name] != json!(0));
    counts.map(|name| ((*name).to_owned(), shown["counts"][*name].clone())).collect::<Map<_, _>>().into()
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn paused_batches_are_sent_after_the_resume_with_their_whole_ttl() {
    let world = World::start().await;
    let fleet = start_things(&world, "pump", 250, BehaviourShares::default()).await;
    let id = create_ready(&world, json!({"ttl": 100})).await;
    control(&world, &id, "pause").await;
    world.stack.streams.release(COMMANDS);
    pass_seconds(&world, 300).await;
    assert_eq!((state(&world, &id).await.as_str(), fleet.stats().requests), ("PAUSED", 0));
    assert_eq!(world.rows(EXECUTIONS).await.len(), 0);
    control(&world, &id, "resume").await;
    let done = wait_for_state(&world, &id, 90, "COMPLETED").await;
    assert_eq!(fleet.stats().requests, 250);
    let expiry = START + 300 + 100;
    let expirations: Vec<i64> = fleet.runs().iter().map(|run| run.expires_at_ms / 1000).collect();
    assert!(expirations.iter().all(|at| (expiry..expiry + 20).contains(at)), "from {expiry}: {expirations:?}");
    assert_eq!(counts(&done), json!({"SUCCEEDED": 250}));
    fleet.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn last_of_several_quick_control_changes_applies() {
    let world = World::start().await;
    let fleet = start_things(&world, "pump", 150, BehaviourShares::default()).await;
    let id = create_ready(&world, json!({})).await;
    for action in ["pause", "resume", "pause"] {
        control(&world, &id, action).await;
    }
    world.stack.streams.release(COMMANDS);
    pass_seconds(&world, 70).await;
    assert_eq!((state(&world, &id).await.as_str(), fleet.stats().requests), ("PAUSED", 0));
    world.stack.streams.hold(COMMANDS);
    for action in ["resume", "pause", "pause", "resume"] {
        control(&world, &id, action).await;
    }
    world.stack.streams.release(COMMANDS);
    let done = wait_for_state(&world, &id, 90, "COMPLETED").await;
    assert_eq!((counts(&done), fleet.stats().requests), (json!({"SUCCEEDED": 150}), 150));
    fleet.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn sent_executions_are_monitored_during_a_pause() {
    let world = world_with_ticks("10").await;
    let mute = start_things(&world, "mute", 10, shares(|shares| shares.mute = 1.0)).await;
    let rest = start_things(&world, "pump", 20, BehaviourShares::default()).await;
    let names: Vec<&String> = mute.things().iter().chain(rest.things()).collect();
    let rollout = json!({"maximumPerMinute": 60});
    let id = create(&world, json!({"target": {"things": names}, "ttl": 30, "rollout": rollout})).await;
    pass_seconds(&world, 9).await;
    assert_eq!((mute.stats().requests, rest.stats().requests), (10, 0));
    control(&world, &id, "pause").await;
    pass_seconds(&world, 45).await;
    let paused = show(&world, &id).await;
    assert_eq!((&paused["state"], counts(&paused)), (&json!("PAUSED"), json!({"TIMED_OUT": 10, "waiting": 20})));
    assert_eq!(rest.stats().requests, 0);
    control(&world, &id, "resume").await;
    let done = wait_for_state(&world, &id, 40, "COMPLETED").await;
    assert_eq!(counts(&done), json!({"TIMED_OUT": 10, "SUCCEEDED": 20}));
    mute.stop().await;
    rest.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn paused_command_can_be_canceled_and_then_sends_nothing() {
    let world = World::start().await;
    let fleet = start_things(&world, "pump", 150, BehaviourShares::default()).await;
    let id = create_ready(&world, json!({})).await;
    control(&world, &id, "pause").await;
    world.stack.streams.release(COMMANDS);
    pass_seconds(&world, 5).await;
    assert_eq!(world.cancel(&id, false).await.status, 200);
    pass_seconds(&world, 200).await;
    let shown = show(&world, &id).await;
    assert_eq!((&shown["state"], counts(&shown)), (&json!("CANCELED"), json!({"notAsked": 150})));
    assert_eq!((fleet.stats().requests, world.rows(EXECUTIONS).await.len()), (0, 0));
    let resumed = world.request(reqwest::Method::POST, &format!("/commands/{id}/resume"), &[], "").await;
    assert_eq!(resumed.status, 409, "{resumed:?}");
    fleet.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn cancel_stops_the_planning_of_a_large_command() {
    let world = World::start().await;
    let names: Vec<String> = (0..3000).map(|n| format!("pump-{n:04}")).collect();
    world.stack.registry.add_things("pumps", &names).expect("the group is valid");
    let id = create_ready(&world, json!({"delivery": "topic"})).await;
    let planned = show(&world, &id).await["plan"].clone();
    assert_eq!(planned["complete"], false, "{planned}");
    assert_eq!(world.cancel(&id, false).await.status, 200);
    world.stack.streams.release(COMMANDS);
    pass_seconds(&world, 130).await;
    let shown = show(&world, &id).await;
    assert_eq!((&shown["state"], &shown["plan"]["things"]), (&json!("CANCELED"), &planned["things"]));
    assert_eq!(world.rows(EXECUTIONS).await.len(), 0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn forced_cancel_stops_running_executions() {
    let world = World::start().await;
    let slow = start_things(&world, "pump", 110, shares(|shares| shares.slow = 1.0)).await;
    let mute = start_things(&world, "mute", 20, shares(|shares| shares.mute = 1.0)).await;
    let id = create(&world, json!({})).await;
    wait_for_rows(&world, "IN_PROGRESS", 110).await;
    assert_eq!(world.cancel(&id, false).await.status, 200);
    wait_for_rows(&world, "CANCELED", 20).await;
    wait_for_rows(&world, "IN_PROGRESS", 110).await;
    assert_eq!((slow.stats().cancels, mute.stats().cancels), (0, 20));
    assert_eq!(world.cancel(&id, true).await.status, 200);
    let done = wait_until(&world, &id, 10, |shown| counts(shown) == json!({"CANCELED": 130})).await;
    let canceled = &done["counts"]["byReason"]["CANCELED_BY_OPERATOR"];
    assert_eq!((&done["state"], canceled), (&json!("CANCELED"), &json!(130)));
    assert_eq!((slow.stats().cancels, mute.stats().cancels), (110, 20));
    assert!(slow.runs().iter().all(|run| matches!(run.ended, Some((_, RunOutcome::Stopped)))));
    slow.stop().await;
    mute.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn running_executions_end_by_themselves_after_an_unforced_cancel() {
    let world = World::start().await;
    let slow = start_things(&world, "pump", 5, shares(|shares| shares.slow = 1.0)).await;
    let lost = start_things(&world, "lost", 4, shares(|shares| shares.crash = 1.0)).await;
    let id = create(&world, json!({"ttl": 60, "timeout": 120})).await;
    wait_for_rows(&world, "IN_PROGRESS", 9).await;
    assert_eq!(world.cancel(&id, false).await.status, 200);
    pass_seconds(&world, 190).await;
    let shown = show(&world, &id).await;
    assert_eq!((&shown["state"], counts(&shown)), (&json!("CANCELED"), json!({"SUCCEEDED": 5, "TIMED_OUT": 4})));
    slow.stop().await;
    lost.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn batch_of_a_crashed_function_is_sent_once_and_whole_in_spite_of_a_pause() {
    let world = World::start().await;
    let fleet = start_things(&world, "pump", 40, BehaviourShares::default()).await;
    // The function's second call claims the batch; the first one reads it.
    world.stack.faults.next("flaghoist-dispatch-commands", 2, Fault::KillAfter);
    let id = create_ready(&world, json!({"ttl": 600})).await;
    world.stack.streams.release(COMMANDS);
    control(&world, &id, "pause").await;
    pass_seconds(&world, 200).await;
    assert_eq!(world.stack.faults.pending(), 0);
    let requests = fleet.stats().requests;
    assert!(requests == 0 || requests == 40, "{requests} requests: a batch is sent as a whole or not at all");
    control(&world, &id, "resume").await;
    let done = wait_for_state(&world, &id, 200, "COMPLETED").await;
    assert_eq!((counts(&done), fleet.stats().requests), (json!({"SUCCEEDED": 40}), 40));
    assert_eq!(count(&world, &id, "total").await, 40);
    fleet.stop().await;
    world.end().await;
}
