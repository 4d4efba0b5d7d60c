//! A fleet command that stops itself: what was claimed before is all that goes out.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use device::fleet::{Fleet, Knobs};
use local::faults::Fault;
use local::journal::Event;
use serde_json::{Value, json};

use super::recount::{command, miscounts, rows_of, runs, stands, things, until};
use crate::world::{COMMANDS, EXECUTIONS, World, template};

/// So many things of a batch are in the middle of it.
const HELD: usize = 20;

fn abort(failure: &str, action: &str) -> Value {
    json!({"criteriaList": [{
        "failureType": failure, "action": action, "thresholdPercentage": 20, "minNumberOfExecutedThings": 50,
    }]})
}

async fn field(things_of: usize, knobs: Knobs) -> (World, Fleet) {
    let world = World::start().await;
    let fleet = things(&world, things_of, "pump", knobs).await;
    world.stack.registry.add_things("pumps", fleet.things()).expect("a group");
    world.stack.settle().await;
    (world, fleet)
}

/// What the journal says: the batches that were claimed before the command was stopped, and those that have rows from before and after.
#[derive(Default)]
struct Story {
    claimed: BTreeSet<String>,
    sent_before: usize,
    sent_after: BTreeSet<String>,
    canceled: BTreeSet<String>,
}

fn story(world: &World, id: &str, word: &str) -> Story {
    let (mut story, mut stopped) = (Story::default(), false);
    for entry in world.stack.journal.entries() {
        match &entry.event {
            Event::Written { table, after: Some(item), .. } if table == COMMANDS => match item["sk"]["S"].as_str() {
                Some("META") if item["control"]["S"] == word => stopped = true,
                Some("BATCH") if !stopped && item.get("claim").is_some() => {
                    story
                        .claimed
                        .extend(item["pk"]["S"].as_str().and_then(|pk| pk.rsplit('#').next()).map(str::to_owned));
                }
                _ => {}
            },
            Event::Written { table, before: None, after: Some(row), .. }
                if table == EXECUTIONS && row["command_id"]["S"] == id =>
            {
                match stopped {
                    false => story.sent_before += 1,
                    true => story.sent_after.extend(row["batch"]["N"].as_str().map(str::to_owned)),
                }
            }
            Event::Published { topic, .. } => {
                let thing = topic.strip_prefix("cmd/").and_then(|topic| topic.strip_suffix("/cancel"));
                story.canceled.extend(thing.map(str::to_owned));
            }
            _ => {}
        }
    }
    assert!(stopped, "it was never stopped");
    story
}

/// Lets the batches from this one on be claimed only when the flag says so; one of the others is claimed by someone who dies.
fn later_batches_wait(world: &World, id: String, from: u32) -> Arc<AtomicBool> {
    let open = Arc::new(AtomicBool::new(false));
    let flag = open.clone();
    world.stack.faults.plan(move |call| {
        let body = String::from_utf8_lossy(&call.body);
        let batch =
            body.split_once(&format!("C#{id}#")).and_then(|(_, rest)| rest.split('"').next()?.parse::<u32>().ok());
        let claims = call.function == "flaghoist-dispatch-commands" && call.operation == "DynamoDB.PutItem";
        (claims && batch.is_some_and(|batch| batch >= from) && !flag.load(Ordering::Relaxed)).then_some(Fault::Throttle)
    });
    open
}

/// The shards of the stream on this machine, and what the template says of its readers.
fn bound() -> usize {
    let text = std::fs::read_to_string(template()).expect("text");
    let part =
        text.split("ReadyBatches:").nth(1).and_then(|rest| rest.split("FilterCriteria").next()).expect("the mapping");
    let number = |name: &str| -> usize {
        let rest = part.split(&format!("{name}: ")).nth(1).and_then(|rest| rest.lines().next()).expect(name);
        rest.trim().parse().expect("a number")
    };
    4 * number("ParallelizationFactor") * number("BatchSize") * 100
}

#[tokio::test(flavor = "multi_thread")]
async fn after_too_many_failures_only_what_was_claimed_goes_out() {
    let (world, fleet) = field(600, Knobs { fail: 0.5, mute: 0.3, ..Knobs::default() }).await;
    // Before the first batch is planned nobody knows the command's id.
    world.stack.streams.hold(COMMANDS);
    let body = json!({"target": {"groups": ["pumps"]}, "ttl": 3600, "timeout": 3600, "abortConfig": abort("FAILED", "CANCEL")});
    let id = command(&world, body).await;
    let open = later_batches_wait(&world, id.clone(), 3);
    world.stack.streams.release(COMMANDS);
    world.stack.settle().await;
    let shown = until(&world, &id, "CANCELED", &[1; 10]).await;
    assert_eq!(shown["state"], "CANCELED", "{shown:#}");
    open.store(true, Ordering::Relaxed);
    for _ in 0..8 {
        world.advance(30).await;
    }
    let (shown, rows) = (stands(&world, &id).await, rows_of(&world, &id).await);
    assert_eq!(miscounts(&shown, &rows), [""; 0]);
    let story = story(&world, &id, "CANCELED");
    assert!(story.sent_after.is_subset(&story.claimed), "claimed {:?}, sent {:?}", story.claimed, story.sent_after);
    assert!(rows.len() <= 100 * story.claimed.len() && rows.len() - story.sent_before <= bound());
    assert_eq!(rows.len(), 300, "the rest was never sent");
    assert_eq!(shown["counts"]["waiting"], 300, "{}", shown["counts"]);
    let canceled: BTreeSet<String> = rows
        .iter()
        .filter(|row| row["status"]["S"] == "CANCELED")
        .map(|row| {
            assert_eq!(row["verdict"]["S"], "ABORT_CRITERIA", "{row}");
            super::recount::thing_of(row)
        })
        .collect();
    assert!(!canceled.is_empty() && rows.iter().all(|row| row["status"]["S"] != "CREATED"), "{}", shown["counts"]);
    assert_eq!(story.canceled, canceled, "their devices are told");
    assert!(shown["why"].as_str().is_some_and(|why| why.contains("FAILED")), "{shown:#}");
    let runs = runs(&fleet);
    fleet.stop().await;
    world.end_with(runs).await;
}

/// The number behind a name of an item that a call is about.
fn number_in(body: &str, name: &str) -> Option<u32> {
    body.split_once(&format!(r#""{name}":{{"N":""#))?.1.split('"').next()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_at_a_batch_when_it_was_stopped_ends_it() {
    let (world, fleet) = field(800, Knobs { fail: 0.5, ..Knobs::default() }).await;
    world.stack.streams.hold(COMMANDS);
    let body = json!({"target": {"groups": ["pumps"]}, "ttl": 3600, "timeout": 3600, "abortConfig": abort("FAILED", "CANCEL")});
    let id = command(&world, body).await;
    // Three batches are sent, three are in the middle of it, and two are not claimed yet.
    let (open, flag) = (Arc::new(AtomicBool::new(false)), id.clone());
    let (stopped, held) = (open.clone(), Arc::new(AtomicUsize::new(0)));
    let holding = held.clone();
    let mut met = [const { BTreeSet::new() }; 8];
    world.stack.faults.plan(move |call| {
        let dispatches = call.function == "flaghoist-dispatch-commands" && call.operation == "DynamoDB.PutItem";
        if !dispatches || stopped.load(Ordering::Relaxed) {
            return None;
        }
        let body = String::from_utf8_lossy(&call.body);
        if let Some((_, rest)) = body.split_once(&format!("C#{flag}#")) {
            let batch: u32 = rest.split('"').next()?.parse().ok()?;
            return (batch >= 6).then_some(Fault::Throttle);
        }
        let batch = number_in(&body, "batch").filter(|batch| *batch >= 3)?;
        // All attempts of the SDK.
        let (already, call) = (met.get_mut(usize::try_from(batch).ok()?)?, (call.invoke.clone(), call.nth));
        let new = already.len() < HELD && already.insert(call.clone());
        holding.fetch_add(usize::from(new), Ordering::Relaxed);
        already.contains(&call).then_some(Fault::Held)
    });
    world.stack.streams.release(COMMANDS);
    // Nothing settles now: time passes as they work.
    let mut shown = Value::Null;
    for _ in 0..200 {
        world.stack.clock.advance(Duration::from_millis(200));
        shown = stands(&world, &id).await;
        if shown["state"] == "CANCELED" && held.load(Ordering::Relaxed) == 3 * HELD {
            break;
        }
    }
    assert_eq!(shown["state"], "CANCELED", "{shown:#}");
    open.store(true, Ordering::Relaxed);
    world.stack.faults.release();
    world.stack.settle().await;
    for _ in 0..8 {
        world.advance(30).await;
    }
    let (shown, rows) = (stands(&world, &id).await, rows_of(&world, &id).await);
    assert_eq!(miscounts(&shown, &rows), [""; 0]);
    let story = story(&world, &id, "CANCELED");
    assert_eq!(story.sent_after, BTreeSet::from(["3", "4", "5"].map(str::to_owned)), "claimed {:?}", story.claimed);
    assert_eq!((rows.len(), rows.len() - story.sent_before), (600, 3 * HELD), "what was claimed, and no more");
    assert!(rows.len() - story.sent_before <= bound());
    assert_eq!(shown["counts"]["waiting"], 200, "{}", shown["counts"]);
    assert!(rows.iter().all(|row| row["status"]["S"] != "CREATED"), "{}", shown["counts"]);
    let runs = runs(&fleet);
    fleet.stop().await;
    world.end_with(runs).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_too_many_failures_it_may_pause_instead() {
    let (world, fleet) = field(400, Knobs { fail: 0.5, ..Knobs::default() }).await;
    world.stack.streams.hold(COMMANDS);
    let body =
        json!({"target": {"groups": ["pumps"]}, "ttl": 3600, "timeout": 3600, "abortConfig": abort("FAILED", "PAUSE")});
    let id = command(&world, body).await;
    let open = later_batches_wait(&world, id.clone(), 2);
    world.stack.streams.release(COMMANDS);
    world.stack.settle().await;
    let shown = until(&world, &id, "PAUSED", &[1; 10]).await;
    assert_eq!(shown["state"], "PAUSED", "{shown:#}");
    open.store(true, Ordering::Relaxed);
    for _ in 0..8 {
        world.advance(30).await;
    }
    let story = story(&world, &id, "PAUSED");
    let rows = rows_of(&world, &id).await;
    assert!(story.sent_after.is_subset(&story.claimed), "claimed {:?}, sent {:?}", story.claimed, story.sent_after);
    assert_eq!(rows.len(), 200, "the rest waits");
    let shown = stands(&world, &id).await;
    assert_eq!((miscounts(&shown, &rows), shown["state"].as_str()), (vec![], Some("PAUSED")));
    // What had failed until then does not stop it again; what fails afterwards may.
    let answer = world.request(reqwest::Method::POST, &format!("/commands/{id}/resume"), &[], "").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    for _ in 0..8 {
        world.advance(30).await;
    }
    let (shown, rows) = (stands(&world, &id).await, rows_of(&world, &id).await);
    assert_eq!(rows.len(), 400, "{shown:#}");
    assert_eq!(miscounts(&shown, &rows), [""; 0]);
    let runs = runs(&fleet);
    fleet.stop().await;
    world.end_with(runs).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_stops_it_too() {
    let (world, fleet) = field(400, Knobs { mute: 0.9, ..Knobs::default() }).await;
    let body = json!({
        "target": {"groups": ["pumps"]}, "ttl": 60, "timeout": 60,
        "rollout": {"maximumPerMinute": 60}, "abortConfig": abort("NO_RESPONSE", "CANCEL"),
    });
    let id = command(&world, body).await;
    let shown = until(&world, &id, "CANCELED", &[10; 40]).await;
    assert_eq!(shown["state"], "CANCELED", "{shown:#}");
    for _ in 0..4 {
        world.advance(60).await;
    }
    let (shown, rows) = (stands(&world, &id).await, rows_of(&world, &id).await);
    assert!(rows.len() < 400, "{}", shown["counts"]);
    assert_eq!(miscounts(&shown, &rows), [""; 0]);
    assert!(shown["counts"]["TIMED_OUT"].as_u64() >= Some(10), "{}", shown["counts"]);
    let story = story(&world, &id, "CANCELED");
    assert!(story.sent_after.is_subset(&story.claimed), "claimed {:?}, sent {:?}", story.claimed, story.sent_after);
    let runs = runs(&fleet);
    fleet.stop().await;
    world.end_with(runs).await;
}
