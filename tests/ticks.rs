//! Ticks of the reconciler: their interval is the template's parameter ReconcileSeconds, at most a minute.

use serde_json::json;

use crate::world::{EXECUTIONS, START, World};

async fn ticking(seconds: &str) -> World {
    World::with_parameters(&[("ReconcileSeconds", seconds)]).await
}

fn ticks(world: &World) -> u64 {
    world.stack.lambda.stats("flaghoist-reconcile-commands").invocations
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_passed_ttl_is_written_at_the_next_tick_without_a_read() {
    for (seconds, written_at) in [("5", 70), ("30", 90), ("60", 120)] {
        let world = ticking(seconds).await;
        world.command("pump-7", json!({"ttl": 66})).await;
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
async fn a_jump_of_the_clock_runs_every_tick_in_order_and_at_its_time() {
    let world = ticking("5").await;
    for n in 0..24 {
        world.command(&format!("pump-{n}"), json!({"ttl": 58 + 5 * n})).await;
    }
    world.advance(60).await;
    assert_eq!(ticks(&world), 1);
    world.advance(60).await;
    assert_eq!(ticks(&world), 13, "the ticks of two minutes' schedules, and the eleven between them");
    world.advance(60).await;
    assert_eq!(ticks(&world), 25);
    let mut settled = settled_at(&world);
    assert!(settled.is_sorted(), "{settled:?}");
    settled.dedup();
    let ticks: Vec<_> = (12..36).map(|n| (START + n * 5) * 1000).collect();
    assert_eq!(settled, ticks, "one execution expires before each tick");
    world.end().await;
}

/// Times in milliseconds of the ticks that settled an execution, in the order in which they ran.
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
    assert_eq!(world.stack.sqs.peek("flaghoist-ticks").len(), 4);
    world.advance(600).await;
    let row = &world.rows(EXECUTIONS).await[0];
    assert_eq!(row["status"]["S"], "TIMED_OUT");
    assert_eq!(ticks(&world), 2 + 4 + 10 + 9 * 2);
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
