//! Expiry: ttl, timeout and heartbeat deadlines, as the API shows them and as ticks write them.

use serde_json::json;

use crate::world::{EXECUTIONS, START, World, without_wakes};

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_passed_ttl_is_shown_at_once_and_written_at_the_next_tick_if_its_wake_is_lost() {
    let world = World::with_template(&[], without_wakes).await;
    let command = world.command("pump-7", json!({"ttl": 65})).await;
    world.advance(60).await;
    assert_eq!(world.execution(&command, "pump-7").await["status"], "CREATED");

    world.advance(10).await;
    let read = world.execution(&command, "pump-7").await;
    assert_eq!((&read["status"], &read["reason"]), (&json!("TIMED_OUT"), &json!("EXPIRED")), "as shown by the API");
    assert_eq!(world.rows(EXECUTIONS).await[0]["status"]["S"], "CREATED", "no tick has written the verdict yet");

    world.advance(60).await;
    let row = &world.rows(EXECUTIONS).await[0];
    assert_eq!(row["status"]["S"], "TIMED_OUT");
    assert!(row.get("due_at").is_none(), "still due: {row}");
    let written = world.execution(&command, "pump-7").await;
    assert_eq!((&written["status"], &written["reason"]), (&json!("TIMED_OUT"), &json!("EXPIRED")));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn late_success_overrides_timed_out_and_is_marked_late() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let command = world.command("pump-7", json!({"ttl": 30})).await;
    let (_, request) = pump.next_json().await;
    world.advance(120).await;
    assert_eq!(world.execution(&command, "pump-7").await["status"], "TIMED_OUT");
    pump.report("pump-7", json!({"executionId": request["executionId"], "status": "SUCCEEDED"})).await;
    world.settle().await;
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!((&shown["status"], &shown["late"]), (&json!("SUCCEEDED"), &json!(true)));

    // A second final report changes nothing.
    world.advance(600).await;
    pump.report("pump-7", json!({"executionId": request["executionId"], "status": "FAILED"})).await;
    world.settle().await;
    assert_eq!(world.execution(&command, "pump-7").await["status"], "SUCCEEDED");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_late_in_progress_does_not_reopen_an_execution_that_the_api_showed_as_expired() {
    let world = World::with_template(&[], without_wakes).await;
    let mut pump = world.thing("pump-7").await;
    let command = world.command("pump-7", json!({"ttl": 65})).await;
    let (_, request) = pump.next_json().await;
    world.advance(60).await;
    world.advance(10).await;
    assert_eq!(world.rows(EXECUTIONS).await[0]["status"]["S"], "CREATED", "no tick has written the verdict yet");
    pump.report("pump-7", json!({"executionId": request["executionId"], "status": "IN_PROGRESS"})).await;
    world.settle().await;
    let read = world.execution(&command, "pump-7").await;
    assert_eq!((&read["status"], &read["reason"]), (&json!("TIMED_OUT"), &json!("NO_RESPONSE")));
    assert_eq!(world.counted("track-command", "ReportOldNews"), 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_started_execution_may_outlive_its_ttl_but_not_its_timeout() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let command = world.command("pump-7", json!({"ttl": 30, "timeout": 300})).await;
    let (_, request) = pump.next_json().await;
    pump.report("pump-7", json!({"executionId": request["executionId"], "status": "IN_PROGRESS"})).await;
    world.settle().await;
    world.advance(180).await;
    assert_eq!(world.execution(&command, "pump-7").await["status"], "IN_PROGRESS");
    world.advance(180).await;
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!((&shown["status"], &shown["reason"]), (&json!("TIMED_OUT"), &json!("EXECUTION_TIMEOUT")));
    assert!(world.rows(EXECUTIONS).await[0].get("due_at").is_none());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn three_missed_heartbeats_are_heartbeat_lost() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let command = world.command("pump-7", json!({"ttl": 60, "timeout": 3600, "heartbeat": 30})).await;
    let (_, request) = pump.next_json().await;
    for seq in 0..8 {
        pump.report("pump-7", json!({"executionId": request["executionId"], "status": "IN_PROGRESS", "seq": seq}))
            .await;
        world.settle().await;
        world.advance(30).await;
        assert_eq!(world.execution(&command, "pump-7").await["status"], "IN_PROGRESS", "heartbeat {seq}");
    }
    world.advance(180).await;
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!((&shown["status"], &shown["reason"]), (&json!("TIMED_OUT"), &json!("HEARTBEAT_LOST")));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn heartbeats_in_text_count_without_a_sequence_number() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let command = world.command("pump-7", json!({"ttl": 60, "timeout": 3600, "heartbeat": 30})).await;
    pump.next().await;
    for n in 0..8 {
        assert!(pump.publish("cmd/pump-7/resp", "RUNNING").await);
        world.settle().await;
        world.advance(30).await;
        assert_eq!(world.execution(&command, "pump-7").await["status"], "IN_PROGRESS", "heartbeat {n}");
    }
    assert_eq!(world.counted("track-command", "ReportOldNews"), 0);
    world.advance(180).await;
    assert_eq!(world.execution(&command, "pump-7").await["reason"], "HEARTBEAT_LOST");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn every_command_expires_within_two_days() {
    // One tick an hour: 2,880 ticks would take this test more than a minute.
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
    world.end().await;
}
