//! Abort criteria stop a fleet command: after that, only batches that were claimed before are sent.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use device::fleet::{BehaviourShares, Fleet};
use local::faults::Fault;
use serde_json::{Value, json};

use super::operator::{advance_until_state, control, create_with_topic, plan_with_held_stream, show};
use super::recount::{miscounts, rows_of, thing_of};
use super::send_timeline::SendTimeline;
use super::simulated_things::{runs, start_things};
use crate::deadline::waiting;
use crate::world::{COMMANDS, World, template};

/// Executions of a batch that are held while they are stored; fewer than a function stores at once when it begins.
const HELD_PER_BATCH: usize = 12;

/// The shards of the stream of commands on the local stack.
const SHARDS: usize = 4;

/// An abort configuration: more than 20 % of at least 50 executed things.
fn abort_config(failure_type: &str, action: &str) -> Value {
    json!({"criteriaList": [{
        "failureType": failure_type, "action": action, "thresholdPercentage": 20, "minNumberOfExecutedThings": 50,
    }]})
}

/// A body for the whole group, with an hour to start.
fn body(failure_type: &str, action: &str) -> Value {
    json!({"ttl": 3600, "timeout": 3600, "abortConfig": abort_config(failure_type, action)})
}

async fn start(count: usize, shares: BehaviourShares) -> (World, Fleet) {
    let world = World::start().await;
    let fleet = start_things(&world, "pump", count, shares).await;
    world.settle().await;
    (world, fleet)
}

async fn pass_four_minutes(world: &World) {
    for _ in 0..8 {
        world.advance(30).await;
    }
}

/// Lets no batch from number `from` on be claimed until the returned flag is true.
fn block_later_batches(world: &World, id: String, from: u32) -> Arc<AtomicBool> {
    let is_open = Arc::new(AtomicBool::new(false));
    let flag = is_open.clone();
    world.stack.faults.plan(move |call| {
        let body = String::from_utf8_lossy(&call.body);
        let batch = batch_in_key(&body, &id);
        let is_claim = call.function == "flaghoist-dispatch-commands" && call.operation == "DynamoDB.PutItem";
        let is_blocked = is_claim && batch.is_some_and(|batch| batch >= from) && !flag.load(Ordering::Relaxed);
        is_blocked.then_some(Fault::Throttle)
    });
    is_open
}

/// The number of a command's batch in the key of a request.
fn batch_in_key(body: &str, id: &str) -> Option<u32> {
    body.split_once(&format!("C#{id}#"))?.1.split('"').next()?.parse().ok()
}

/// The value of a number attribute in a request.
fn number_in(body: &str, attribute: &str) -> Option<u32> {
    body.split_once(&format!(r#""{attribute}":{{"N":""#))?.1.split('"').next()?.parse().ok()
}

/// Executions that can be in progress at most when a command is stopped: what the readers of the stream have claimed.
fn max_in_progress() -> usize {
    let text = std::fs::read_to_string(template()).expect("template.yaml is readable");
    let mapping = text.split("ReadyBatches:").nth(1).and_then(|rest| rest.split("FilterCriteria").next());
    let mapping = mapping.expect("template.yaml has the event source ReadyBatches");
    let number = |name: &str| -> usize {
        let value = mapping.split(&format!("{name}: ")).nth(1).and_then(|rest| rest.lines().next());
        value.and_then(|value| value.trim().parse().ok()).unwrap_or_else(|| panic!("ReadyBatches has no {name}"))
    };
    SHARDS * number("ParallelizationFactor") * number("BatchSize") * 100
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn cancel_by_abort_criteria_sends_only_batches_that_were_claimed_before() {
    let (world, fleet) = start(600, BehaviourShares { fail: 0.5, mute: 0.3, ..BehaviourShares::default() }).await;
    // The faults need the command's id, which is known only after it is created: until then its stream is held.
    world.stack.streams.hold(COMMANDS);
    let id = create_with_topic(&world, body("FAILED", "CANCEL")).await;
    let is_open = block_later_batches(&world, id.clone(), 3);
    world.stack.streams.release(COMMANDS);
    world.settle().await;
    let shown = advance_until_state(&world, &id, "CANCELED", &[1; 10]).await;
    assert_eq!(shown["state"], "CANCELED", "{shown:#}");
    is_open.store(true, Ordering::Relaxed);
    pass_four_minutes(&world).await;
    let (shown, rows) = (show(&world, &id).await, rows_of(&world, &id).await);
    assert_eq!(miscounts(&shown, &rows), [""; 0]);
    let timeline = SendTimeline::read(&world, &id, "CANCELED");
    timeline.assert_only_claimed_batches_were_sent();
    assert!(rows.len() <= 100 * timeline.claimed_before.len());
    assert!(rows.len() - timeline.executions_before <= max_in_progress());
    assert_eq!(rows.len(), 300, "blocked batches are not sent after the cancel");
    assert_eq!(shown["counts"]["notAsked"], 300, "{}", shown["counts"]);
    let canceled: BTreeSet<String> = rows
        .iter()
        .filter(|row| row["status"]["S"] == "CANCELED")
        .map(|row| {
            assert_eq!(row["verdict"]["S"], "ABORT_CRITERIA", "{row}");
            thing_of(row)
        })
        .collect();
    assert!(!canceled.is_empty() && rows.iter().all(|row| row["status"]["S"] != "CREATED"), "{}", shown["counts"]);
    assert_eq!(timeline.notified, canceled, "exactly the canceled things get a cancel notice");
    assert!(shown["why"].as_str().is_some_and(|why| why.contains("FAILED")), "{shown:#}");
    let runs = runs(&fleet);
    fleet.stop().await;
    world.end_with(runs).await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn batches_in_progress_are_sent_to_their_end_after_a_cancel() {
    let (world, fleet) = start(800, BehaviourShares { fail: 0.5, ..BehaviourShares::default() }).await;
    world.stack.streams.hold(COMMANDS);
    let id = create_with_topic(&world, body("FAILED", "CANCEL")).await;
    // Of eight batches, three are sent, three are in progress, and two are not claimed yet.
    let (is_open, command) = (Arc::new(AtomicBool::new(false)), id.clone());
    let (is_stopped, held) = (is_open.clone(), Arc::new(AtomicUsize::new(0)));
    let held_calls = held.clone();
    let mut held_in_batch = [const { BTreeSet::new() }; 8];
    world.stack.faults.plan(move |call| {
        let is_write = call.function == "flaghoist-dispatch-commands" && call.operation == "DynamoDB.PutItem";
        if !is_write || is_stopped.load(Ordering::Relaxed) {
            return None;
        }
        let body = String::from_utf8_lossy(&call.body);
        if body.contains(&format!("C#{command}#")) {
            return (batch_in_key(&body, &command)? >= 6).then_some(Fault::Throttle);
        }
        let batch = number_in(&body, "batch").filter(|batch| *batch >= 3)?;
        // Every attempt of the SDK at the same call is held.
        let (calls, call) = (held_in_batch.get_mut(usize::try_from(batch).ok()?)?, (call.invoke.clone(), call.nth));
        let is_new = calls.len() < HELD_PER_BATCH && calls.insert(call.clone());
        held_calls.fetch_add(usize::from(is_new), Ordering::Relaxed);
        calls.contains(&call).then_some(Fault::Held)
    });
    // All batches are in the stream before it is read. A reader that came earlier would wait with a batch behind an
    // invocation whose calls are held.
    plan_with_held_stream(&world, &id).await;
    world.stack.streams.release(COMMANDS);
    // The stack is not idle while calls are held. The clock stands until three batches are sent and three are in
    // progress, so that no end is counted before.
    let in_progress = async {
        loop {
            let is_early =
                |row: &&Value| row["batch"]["N"].as_str().and_then(|n| n.parse().ok()).is_some_and(|n: u32| n < 3);
            let sent = rows_of(&world, &id).await.iter().filter(is_early).count();
            if held.load(Ordering::Relaxed) == 3 * HELD_PER_BATCH && sent == 300 {
                return;
            }
        }
    };
    waiting("three batches to be sent, and three to be in progress", in_progress).await;
    let mut shown = Value::Null;
    for _ in 0..200 {
        world.stack.clock.advance(Duration::from_millis(200));
        shown = show(&world, &id).await;
        if shown["state"] == "CANCELED" {
            break;
        }
    }
    let held = held.load(Ordering::Relaxed);
    assert_eq!(shown["state"], "CANCELED", "{held} calls are held: {shown:#}");
    is_open.store(true, Ordering::Relaxed);
    world.stack.faults.release();
    world.settle().await;
    pass_four_minutes(&world).await;
    let (shown, rows) = (show(&world, &id).await, rows_of(&world, &id).await);
    assert_eq!(miscounts(&shown, &rows), [""; 0]);
    let timeline = SendTimeline::read(&world, &id, "CANCELED");
    let in_progress = BTreeSet::from(["3", "4", "5"].map(str::to_owned));
    assert_eq!(timeline.batches_after, in_progress, "claimed before: {:?}", timeline.claimed_before);
    let sent_after = rows.len() - timeline.executions_before;
    assert_eq!((rows.len(), sent_after), (600, 3 * HELD_PER_BATCH), "all executions, those sent after the cancel");
    assert!(sent_after <= max_in_progress());
    assert_eq!(shown["counts"]["notAsked"], 200, "{}", shown["counts"]);
    assert!(rows.iter().all(|row| row["status"]["S"] != "CREATED"), "{}", shown["counts"]);
    let runs = runs(&fleet);
    fleet.stop().await;
    world.end_with(runs).await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn pause_by_abort_criteria_sends_only_claimed_batches_until_it_is_resumed() {
    let (world, fleet) = start(400, BehaviourShares { fail: 0.5, ..BehaviourShares::default() }).await;
    world.stack.streams.hold(COMMANDS);
    let id = create_with_topic(&world, body("FAILED", "PAUSE")).await;
    let is_open = block_later_batches(&world, id.clone(), 2);
    world.stack.streams.release(COMMANDS);
    world.settle().await;
    let shown = advance_until_state(&world, &id, "PAUSED", &[1; 10]).await;
    assert_eq!(shown["state"], "PAUSED", "{shown:#}");
    is_open.store(true, Ordering::Relaxed);
    pass_four_minutes(&world).await;
    let timeline = SendTimeline::read(&world, &id, "PAUSED");
    let rows = rows_of(&world, &id).await;
    timeline.assert_only_claimed_batches_were_sent();
    assert_eq!(rows.len(), 200, "blocked batches are not sent during the pause");
    let shown = show(&world, &id).await;
    assert_eq!((miscounts(&shown, &rows), shown["state"].as_str()), (vec![], Some("PAUSED")));
    // Failures from before the resume do not count again; later ones can pause it again.
    control(&world, &id, "resume").await;
    pass_four_minutes(&world).await;
    let (shown, rows) = (show(&world, &id).await, rows_of(&world, &id).await);
    assert_eq!(rows.len(), 400, "{shown:#}");
    assert_eq!(miscounts(&shown, &rows), [""; 0]);
    let runs = runs(&fleet);
    fleet.stop().await;
    world.end_with(runs).await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn no_response_meets_abort_criteria() {
    let (world, fleet) = start(400, BehaviourShares { mute: 0.9, ..BehaviourShares::default() }).await;
    let body = json!({
        "ttl": 60, "timeout": 60, "rollout": {"maximumPerMinute": 60},
        "abortConfig": abort_config("NO_RESPONSE", "CANCEL"),
    });
    let id = create_with_topic(&world, body).await;
    let shown = advance_until_state(&world, &id, "CANCELED", &[10; 40]).await;
    assert_eq!(shown["state"], "CANCELED", "{shown:#}");
    for _ in 0..4 {
        world.advance(60).await;
    }
    let (shown, rows) = (show(&world, &id).await, rows_of(&world, &id).await);
    assert!(rows.len() < 400, "{}", shown["counts"]);
    assert_eq!(miscounts(&shown, &rows), [""; 0]);
    assert!(shown["counts"]["TIMED_OUT"].as_u64() >= Some(10), "{}", shown["counts"]);
    SendTimeline::read(&world, &id, "CANCELED").assert_only_claimed_batches_were_sent();
    let runs = runs(&fleet);
    fleet.stop().await;
    world.end_with(runs).await;
}
