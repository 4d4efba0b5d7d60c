//! What is stale is never shown as pending, and never run.

use serde_json::json;

use crate::world::{EXECUTIONS, START, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_ttl_that_passes_is_seen_by_reading_at_once_and_written_at_the_next_tick() {
    let world = World::start().await;
    let command = world.command("pump-7", json!({"ttl": 65})).await;
    world.advance(60).await;
    assert_eq!(world.execution(&command, "pump-7").await["status"], "CREATED");

    world.advance(10).await;
    let read = world.execution(&command, "pump-7").await;
    assert_eq!((&read["status"], &read["reason"]), (&json!("TIMED_OUT"), &json!("EXPIRED")), "by reading");
    assert_eq!(world.rows(EXECUTIONS).await[0]["status"]["S"], "CREATED", "nobody has written it yet");

    world.advance(60).await;
    let row = &world.rows(EXECUTIONS).await[0];
    assert_eq!(row["status"]["S"], "TIMED_OUT");
    assert!(row.get("due_at").is_none(), "still due: {row}");
    let written = world.execution(&command, "pump-7").await;
    assert_eq!((&written["status"], &written["reason"]), (&json!("TIMED_OUT"), &json!("EXPIRED")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_answers_after_the_verdict_wins_and_is_marked_late() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let command = world.command("pump-7", json!({"ttl": 30})).await;
    let (_, request) = pump.next_json().await;
    world.advance(120).await;
    assert_eq!(world.execution(&command, "pump-7").await["status"], "TIMED_OUT");
    pump.report("pump-7", json!({"executionId": request["executionId"], "status": "SUCCEEDED"})).await;
    world.stack.settle().await;
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!((&shown["status"], &shown["late"]), (&json!("SUCCEEDED"), &json!(true)));

    // A verdict that comes later still changes nothing.
    world.advance(600).await;
    pump.report("pump-7", json!({"executionId": request["executionId"], "status": "FAILED"})).await;
    world.stack.settle().await;
    assert_eq!(world.execution(&command, "pump-7").await["status"], "SUCCEEDED");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_reading_has_shown_as_expired_is_not_opened_again_by_a_late_start() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let command = world.command("pump-7", json!({"ttl": 65})).await;
    let (_, request) = pump.next_json().await;
    world.advance(60).await;
    world.advance(10).await;
    assert_eq!(world.rows(EXECUTIONS).await[0]["status"]["S"], "CREATED", "nobody has written it yet");
    pump.report("pump-7", json!({"executionId": request["executionId"], "status": "IN_PROGRESS"})).await;
    world.stack.settle().await;
    let read = world.execution(&command, "pump-7").await;
    assert_eq!((&read["status"], &read["reason"]), (&json!("TIMED_OUT"), &json!("NO_RESPONSE")));
    assert_eq!(world.counted("track-command", "ReportOldNews"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_started_command_may_outlive_its_ttl_but_not_its_timeout() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let command = world.command("pump-7", json!({"ttl": 30, "timeout": 300})).await;
    let (_, request) = pump.next_json().await;
    pump.report("pump-7", json!({"executionId": request["executionId"], "status": "IN_PROGRESS"})).await;
    world.stack.settle().await;
    world.advance(180).await;
    assert_eq!(world.execution(&command, "pump-7").await["status"], "IN_PROGRESS");
    world.advance(180).await;
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!((&shown["status"], &shown["reason"]), (&json!("TIMED_OUT"), &json!("EXECUTION_TIMEOUT")));
    assert!(world.rows(EXECUTIONS).await[0].get("due_at").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn three_silent_heartbeats_are_heartbeat_lost() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let command = world.command("pump-7", json!({"ttl": 60, "timeout": 3600, "heartbeat": 30})).await;
    let (_, request) = pump.next_json().await;
    for seq in 0..8 {
        pump.report("pump-7", json!({"executionId": request["executionId"], "status": "IN_PROGRESS", "seq": seq}))
            .await;
        world.stack.settle().await;
        world.advance(30).await;
        assert_eq!(world.execution(&command, "pump-7").await["status"], "IN_PROGRESS", "beat {seq}");
    }
    world.advance(180).await;
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!((&shown["status"], &shown["reason"]), (&json!("TIMED_OUT"), &json!("HEARTBEAT_LOST")));
}

#[tokio::test(flavor = "multi_thread")]
async fn beats_in_plain_text_count_though_they_have_no_number() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let command = world.command("pump-7", json!({"ttl": 60, "timeout": 3600, "heartbeat": 30})).await;
    pump.next().await;
    for beat in 0..8 {
        assert!(pump.publish("cmd/pump-7/resp", "RUNNING").await);
        world.stack.settle().await;
        world.advance(30).await;
        assert_eq!(world.execution(&command, "pump-7").await["status"], "IN_PROGRESS", "beat {beat}");
    }
    assert_eq!(world.counted("track-command", "ReportOldNews"), 0);
    world.advance(180).await;
    assert_eq!(world.execution(&command, "pump-7").await["reason"], "HEARTBEAT_LOST");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_days_leave_nothing_open() {
    // One tick an hour: 2,880 of them would take this test a minute or two.
    let world = World::with_template(&[], |template| template.replace("rate(1 minute)", "rate(1 hour)")).await;
    for n in 0..20 {
        world.command(&format!("pump-{n}"), json!({"ttl": 60 + n * 3600})).await;
    }
    for _ in 0..48 {
        world.advance(3600).await;
    }
    let rows = world.rows(EXECUTIONS).await;
    assert_eq!(rows.len(), 20);
    assert!(rows.iter().all(|row| row["status"]["S"] == "TIMED_OUT" && row.get("due_at").is_none()), "{rows:?}");
    assert!(rows.iter().all(|row| row["purge_at"]["N"].as_str().and_then(|at| at.parse::<i64>().ok()) > Some(START)));
}
