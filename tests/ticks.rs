//! Ticks of the reconciler: their interval is the template's parameter ReconcileSeconds, at most a minute. And wakes, which
//! are lost, come twice or late: the ticks are the net under them.

use std::collections::{BTreeMap, BTreeSet};

use local::journal::Event;
use serde_json::json;

use crate::world::{EXECUTIONS, START, World};

async fn ticking(seconds: &str) -> World {
    World::with_parameters(&[("ReconcileSeconds", seconds)]).await
}

/// Takes every wake from the queue, and leaves the ticks.
fn lose_wakes(world: &World) {
    let sqs = &world.stack.sqs;
    for body in sqs.peek(QUEUE) {
        assert!(is_wake(&body), "no tick is queued yet: {body}");
    }
    sqs.purge(QUEUE);
}

fn is_wake(body: &str) -> bool {
    body.contains(r#""kind":"#)
}

/// Number of ticks on the queue.
fn queued_ticks(world: &World) -> usize {
    world.stack.sqs.peek(QUEUE).iter().filter(|body| !is_wake(body)).count()
}

const QUEUE: &str = "flaghoist-ticks";

fn ticks(world: &World) -> u64 {
    world.stack.lambda.stats("flaghoist-reconcile-commands").invocations
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_ttl_whose_wake_is_lost_is_written_at_the_next_tick_without_a_read() {
    for (seconds, written_at) in [("5", 70), ("30", 90), ("60", 120)] {
        let world = ticking(seconds).await;
        world.command("pump-7", json!({"ttl": 66})).await;
        lose_wakes(&world);
        world.advance(written_at - 1).await;
        assert_eq!(world.rows(EXECUTIONS).await[0]["status"]["S"], "CREATED", "every {seconds} s");
        world.advance(1).await;
        let row = &world.rows(EXECUTIONS).await[0];
        assert_eq!(row["status"]["S"], "TIMED_OUT", "every {seconds} s");
        assert!(row.get("due_at").is_none(), "still due: {row}");
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_jump_of_the_clock_runs_every_tick() {
    let world = ticking("5").await;
    world.advance(60).await;
    assert_eq!(ticks(&world), 1);
    world.advance(60).await;
    assert_eq!(ticks(&world), 13, "the ticks of two minutes' schedules, and the eleven between them");
    world.advance(60).await;
    assert_eq!(ticks(&world), 25);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_jump_of_the_clock_brings_every_wake_in_order_and_at_its_time() {
    let world = ticking("60").await;
    for n in 0..24 {
        world.command(&format!("pump-{n}"), json!({"ttl": 58 + 5 * n})).await;
    }
    world.advance(180).await;
    let settled: Vec<_> = (0..24).map(|n| (START + 58 + n * 5) * 1000).collect();
    assert_eq!(settled_at(&world), settled);
    world.end().await;
}

/// Times in milliseconds of the runs that settled an execution, in the order in which they ran.
fn settled_at(world: &World) -> Vec<i64> {
    let lines = world.stack.lambda.logs("flaghoist-reconcile-commands");
    let counts = lines.iter().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    counts
        .filter(|count| count["ExecutionsSettled"].is_u64())
        .filter_map(|count| count["_aws"]["Timestamp"].as_i64())
        .collect()
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn an_interval_of_a_minute_queues_no_ticks() {
    let world = ticking("60").await;
    world.advance(180).await;
    assert_eq!(ticks(&world), 3);
    assert!(world.stack.sqs.peek("flaghoist-ticks").is_empty());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_repeated_or_late_tick_changes_nothing() {
    let world = ticking("20").await;
    world.command("pump-7", json!({"ttl": 65})).await;
    let first = json!({"kind": "tick", "scheduledTime": "2027-01-15T08:01:00Z"}).to_string();
    world.invoke("reconcile-commands", &first).await.expect("a tick");
    world.invoke("reconcile-commands", &first).await.expect("the repeated tick");
    assert_eq!(queued_ticks(&world), 4);
    world.advance(600).await;
    let row = &world.rows(EXECUTIONS).await[0];
    assert_eq!(row["status"]["S"], "TIMED_OUT");
    assert_eq!(ticks(&world), 2 + 2 + 10 + 9 * 2 + 1, "two equal messages are one event; and one wake");
    let late = json!({"kind": "tick", "scheduledTime": "2027-01-15T08:00:05Z"}).to_string();
    let late = json!({"Records": [{"messageId": "1", "eventSource": "aws:sqs", "body": late}]});
    world.invoke("reconcile-commands", &late.to_string()).await.expect("the late tick");
    assert_eq!(&world.rows(EXECUTIONS).await[0], row);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn without_the_tick_queue_the_schedule_still_ticks_and_the_failure_is_reported() {
    let nowhere = |template: String| template.replace("TICK_QUEUE_URL: !Ref TickQueue", "TICK_QUEUE_URL: nowhere");
    let world = World::with_template(&[("ReconcileSeconds", "20")], nowhere).await;
    world.command("pump-7", json!({"ttl": 66})).await;
    world.advance(120).await;
    assert_eq!(world.rows(EXECUTIONS).await[0]["status"]["S"], "TIMED_OUT");
    world.advance(120).await;
    let failed = world.stack.sqs.peek("flaghoist-failures");
    assert!(failed[0].contains("sending delayed messages"), "{failed:?}");
    world.end().await;
}

/// Delivers messages of the queue of ticks.
async fn deliver(world: &World, bodies: &[String]) {
    let record = |(n, body)| json!({"messageId": format!("{n}"), "eventSource": "aws:sqs", "body": body});
    let event = json!({"Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>()});
    let answer = world.invoke("reconcile-commands", &event.to_string()).await.expect("handled");
    assert_eq!(answer, json!({"batchItemFailures": []}));
}

/// The number of requests on each topic.
fn requests(world: &World) -> BTreeMap<String, usize> {
    let mut requests = BTreeMap::new();
    for entry in world.stack.journal.entries() {
        if let Event::Published { topic, .. } = entry.event
            && topic.ends_with("/req")
        {
            *requests.entry(topic).or_default() += 1;
        }
    }
    requests
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_queue_that_redelivers_for_an_hour_changes_nothing() {
    let world = ticking("60").await;
    let names: Vec<String> = (0..8).map(|n| format!("pump-{n}")).collect();
    world.stack.registry.add_things("pumps", &names).expect("a group");
    let retry = json!({"attempts": 2, "wait": 20, "backoff": {"base": 0, "cap": 0}});
    let body = json!({"name": "reboot", "target": {"groups": ["pumps"]}, "delivery": "topic", "ttl": 65, "retry": retry,
        "rollout": {"maximumPerMinute": 60}});
    assert_eq!(world.post("/commands", &body).await.status, 202);
    let mut wakes = BTreeSet::new();
    for second in 0..120 {
        wakes.extend(world.stack.sqs.peek(QUEUE));
        if second % 10 == 5 {
            deliver(&world, &wakes.iter().cloned().collect::<Vec<_>>()).await;
        }
        world.advance(1).await;
    }
    assert!(wakes.len() >= 24, "a step, a second attempt and a verdict each: {wakes:?}");
    let (rows, asked) = (world.rows(EXECUTIONS).await, requests(&world));
    assert_eq!(asked, names.iter().map(|name| (format!("cmd/{name}/req"), 2)).collect());
    let ended = rows.iter().filter(|row| row["status"]["S"] == "TIMED_OUT").count();
    assert_eq!(ended, 8, "{rows:#?}");
    for _ in 0..60 {
        world.advance(60).await;
        deliver(&world, &wakes.iter().cloned().collect::<Vec<_>>()).await;
    }
    assert_eq!((world.rows(EXECUTIONS).await, requests(&world)), (rows, asked));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_wake_that_comes_twice_early_or_an_hour_late_changes_nothing() {
    let world = ticking("60").await;
    let retry = json!({"attempts": 2, "wait": 20, "backoff": {"base": 0, "cap": 0}});
    world.command("pump-7", json!({"ttl": 65, "retry": retry, "delivery": "topic"})).await;
    let wakes = world.stack.sqs.peek(QUEUE);
    assert_eq!(wakes.len(), 1, "{wakes:?}");
    world.advance(20).await;
    let second = world.rows(EXECUTIONS).await;
    assert_eq!((&second[0]["attempt"]["N"], &second[0]["delivery_status"]["S"]), (&json!("2"), &json!("SENT")));
    deliver(&world, &[wakes.clone(), wakes.clone()].concat()).await;
    assert_eq!(world.rows(EXECUTIONS).await, second, "the first attempt's wake");
    world.advance(3600).await;
    let ended = world.rows(EXECUTIONS).await;
    assert_eq!(ended[0]["status"]["S"], "TIMED_OUT");
    assert_eq!(requests(&world), BTreeMap::from([("cmd/pump-7/req".to_owned(), 2)]));
    deliver(&world, &wakes).await;
    assert_eq!(world.rows(EXECUTIONS).await, ended);
    world.end().await;
}
