//! Deadlines of a fleet's executions: no response, late reports, timeouts and lost heartbeats.

use std::time::Duration;

use device::fleet::{BehaviourShares, FleetConfig};
use serde_json::{Value, json};

use super::operator::{create, pass_seconds, show, wait_for_state, wait_until, world_with_ticks};
use super::simulated_things::{shares, start_things, start_things_with};
use crate::world::{EXECUTIONS, World};

/// The number of executions with a due entry.
pub(super) async fn due_entries(world: &World) -> usize {
    world.rows(EXECUTIONS).await.iter().filter(|row| row.get("due_at").is_some()).count()
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn no_response_is_found_with_the_batch_and_a_late_report_overrides_it() {
    let world = world_with_ticks("10").await;
    let late = start_things_with(&world, 120, |config| FleetConfig {
        prefix: "late".to_owned(),
        shares: shares(|shares| shares.late = 1.0),
        late_after: Duration::from_secs(60),
        ..config
    })
    .await;
    let mute = start_things(&world, "mute", 60, shares(|shares| shares.mute = 1.0)).await;
    let id = create(&world, json!({"ttl": 30})).await;
    pass_seconds(&world, 5).await;
    // On a busy machine a request can take so long that its row gets a due entry, and a history, until it is sent.
    let rows = world.rows(EXECUTIONS).await;
    let was_sent_in_time = |row: &&Value| row.get("history").is_none();
    assert_eq!(rows.len(), 180);
    let has_due_entry = |row: &Value| row.get("due_at").is_some();
    assert!(!rows.iter().filter(was_sent_in_time).any(has_due_entry), "only the batch has a due entry");
    let silent = wait_for_state(&world, &id, 45, "COMPLETED").await;
    let counts = &silent["counts"];
    assert_eq!((&counts["TIMED_OUT"], &counts["byReason"]["NO_RESPONSE"]), (&json!(180), &json!(180)));
    let done = wait_until(&world, &id, 90, |shown| shown["counts"]["SUCCEEDED"] == 120).await;
    assert_eq!((&done["counts"]["TIMED_OUT"], &done["state"]), (&json!(60), &json!("COMPLETED")));
    assert_eq!(done["counts"]["byReason"]["NO_RESPONSE"], 60);
    let execution = world.execution(&id, &late.things()[0]).await;
    assert_eq!((&execution["status"], &execution["late"]), (&json!("SUCCEEDED"), &json!(true)), "{execution:#}");
    assert_eq!(mute.stats().requests, 60);
    late.stop().await;
    mute.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn execution_that_stops_in_the_middle_times_out_at_its_timeout() {
    let world = world_with_ticks("10").await;
    let lost = start_things(&world, "lost", 110, shares(|shares| shares.crash = 1.0)).await;
    let id = create(&world, json!({"ttl": 30, "timeout": 100})).await;
    pass_seconds(&world, 95).await;
    assert_eq!(show(&world, &id).await["counts"]["IN_PROGRESS"], 110);
    let done = wait_for_state(&world, &id, 20, "COMPLETED").await;
    assert_eq!(done["counts"]["byReason"]["EXECUTION_TIMEOUT"], 110);
    assert_eq!(due_entries(&world).await, 0);
    lost.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn execution_without_heartbeats_times_out_before_its_timeout() {
    let world = world_with_ticks("10").await;
    let lost = start_things(&world, "lost", 10, shares(|shares| shares.crash = 1.0)).await;
    let good = start_things(&world, "pump", 30, BehaviourShares { slow: 0.3, ..BehaviourShares::default() }).await;
    let id = create(&world, json!({"ttl": 30, "timeout": 600, "heartbeat": 10})).await;
    let done = wait_for_state(&world, &id, 60, "COMPLETED").await;
    assert_eq!((&done["counts"]["byReason"]["HEARTBEAT_LOST"], &done["counts"]["SUCCEEDED"]), (&json!(10), &json!(30)));
    assert_eq!(due_entries(&world).await, 0);
    lost.stop().await;
    good.stop().await;
    world.end().await;
}
