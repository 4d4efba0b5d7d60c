//! Things of a fleet that say nothing, or too late, or stop in the middle; and every way to ask a fleet.

use device::fleet::{FleetConfig, Knobs};
use serde_json::{Value, json};

use super::operator::{all, ask, pass, shown, things, things_with, ticking, until, until_state};
use crate::world::{EXECUTIONS, World};

/// How many entries of the index of what is due there are among the executions.
async fn entries(world: &World) -> usize {
    world.rows(EXECUTIONS).await.iter().filter(|row| row.get("due_at").is_some()).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_silent_are_settled_with_their_batch_and_a_late_answer_still_wins() {
    let world = ticking("10").await;
    let late = things_with(&world, 120, |config| FleetConfig {
        prefix: "late".to_owned(),
        knobs: all(|knobs| knobs.late = 1.0),
        late_after: std::time::Duration::from_secs(60),
        ..config
    })
    .await;
    let mute = things(&world, "mute", 60, all(|knobs| knobs.mute = 1.0)).await;
    let id = ask(&world, json!({"ttl": 30})).await;
    pass(&world, 5).await;
    // One whose sending took too long, on a machine that is busy, is due by itself until it is out.
    let rows = world.rows(EXECUTIONS).await;
    let well = |row: &&Value| row.get("steps").is_none();
    assert_eq!(rows.len(), 180);
    assert!(rows.iter().filter(well).all(|row| row.get("due_at").is_none()), "a batch is due, not each row");
    let silent = until_state(&world, &id, 45, "COMPLETED").await;
    assert_eq!(
        (&silent["counts"]["TIMED_OUT"], &silent["counts"]["byReason"]["NO_RESPONSE"]),
        (&json!(180), &json!(180))
    );
    let done = until(&world, &id, 90, |shown| shown["counts"]["SUCCEEDED"] == 120).await;
    assert_eq!((&done["counts"]["TIMED_OUT"], &done["state"]), (&json!(60), &json!("COMPLETED")));
    assert_eq!(done["counts"]["byReason"]["NO_RESPONSE"], 60);
    let row = world.execution(&id, &late.things()[0]).await;
    assert_eq!((&row["status"], &row["late"]), (&json!("SUCCEEDED"), &json!(true)), "{row:#}");
    assert_eq!(mute.stats().requests, 60);
    late.stop().await;
    mute.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_stops_in_the_middle_is_given_up_at_its_timeout() {
    let world = ticking("10").await;
    let lost = things(&world, "lost", 110, all(|knobs| knobs.crash = 1.0)).await;
    let id = ask(&world, json!({"ttl": 30, "timeout": 100})).await;
    pass(&world, 95).await;
    assert_eq!(shown(&world, &id).await["counts"]["IN_PROGRESS"], 110);
    let done = until_state(&world, &id, 20, "COMPLETED").await;
    assert_eq!(done["counts"]["byReason"]["EXECUTION_TIMEOUT"], 110);
    assert_eq!(entries(&world).await, 0);
    lost.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whose_heartbeats_stop_is_given_up_sooner() {
    let world = ticking("10").await;
    let lost = things(&world, "lost", 10, all(|knobs| knobs.crash = 1.0)).await;
    let good = things(&world, "pump", 30, Knobs { slow: 0.3, ..Knobs::default() }).await;
    let id = ask(&world, json!({"ttl": 30, "timeout": 600, "heartbeat": 10})).await;
    let done = until_state(&world, &id, 60, "COMPLETED").await;
    assert_eq!((&done["counts"]["byReason"]["HEARTBEAT_LOST"], &done["counts"]["SUCCEEDED"]), (&json!(10), &json!(30)));
    assert_eq!(entries(&world).await, 0);
    lost.stop().await;
    good.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_that_fail_are_asked_again() {
    let world = ticking("10").await;
    let flaky = things(&world, "flaky", 30, all(|knobs| knobs.flaky = 1.0)).await;
    let retry = json!({"attempts": 3, "on": ["FAILED"]});
    let id = ask(&world, json!({"ttl": 200, "timeout": 300, "retry": retry})).await;
    let done = until_state(&world, &id, 150, "COMPLETED").await;
    assert_eq!((&done["counts"]["SUCCEEDED"], flaky.stats().requests), (&json!(30), 60));
    flaky.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_lane_takes_one_command_after_the_other_at_each_thing() {
    let world = ticking("10").await;
    let fleet = things(&world, "pump", 20, Knobs { slow: 1.0, ..Knobs::default() }).await;
    let first = ask(&world, json!({"ttl": 100, "timeout": 200, "lane": "valve"})).await;
    let second = ask(&world, json!({"ttl": 100, "timeout": 200, "lane": "valve"})).await;
    for id in [&first, &second] {
        let done = until_state(&world, id, 60, "COMPLETED").await;
        assert_eq!(done["counts"]["SUCCEEDED"], 20);
    }
    for thing in fleet.things() {
        let mut runs: Vec<_> = fleet.runs().into_iter().filter(|run| run.thing == *thing).collect();
        runs.sort_by_key(|run| run.started_ms);
        assert!(runs.len() == 2 && runs[0].ended.is_some_and(|(at, _)| at <= runs[1].started_ms), "{runs:?}");
    }
    assert_eq!(entries(&world).await, 0);
    fleet.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_that_are_away_get_it_when_they_are_back_or_never() {
    let world = ticking("10").await;
    let names: Vec<String> = (0..12).map(|n| format!("pump-{n:02}")).collect();
    world.stack.registry.add_things("pumps", &names).expect("a group");
    let id = ask(&world, json!({"ttl": 60, "delivery": "direct"})).await;
    let queued = until(&world, &id, 5, |shown| shown["counts"]["byDeliveryStatus"]["QUEUED"] == 12).await;
    assert_eq!(queued["counts"]["CREATED"], 12);
    let mut back = world.thing("pump-03").await;
    let (_, request) = back.next_json().await;
    back.report("pump-03", json!({"executionId": request["executionId"], "status": "SUCCEEDED"})).await;
    let done = until_state(&world, &id, 80, "COMPLETED").await;
    assert_eq!((&done["counts"]["SUCCEEDED"], &done["counts"]["byReason"]["EXPIRED"]), (&json!(1), &json!(11)));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_is_asked_through_its_shadows() {
    let world = ticking("10").await;
    let fleet = things_with(&world, 15, |config| FleetConfig { shadows: true, shadow_commands: 1.0, ..config }).await;
    let id = ask(&world, json!({"ttl": 60, "delivery": "shadow"})).await;
    let done = until_state(&world, &id, 60, "COMPLETED").await;
    assert_eq!(done["counts"]["SUCCEEDED"], 15);
    for thing in fleet.things() {
        let desired: Value = world.shadow(thing, Some("cmd"))["state"]["desired"].clone();
        assert!(desired["c"].as_object().is_none_or(serde_json::Map::is_empty), "{thing}: {desired}");
    }
    assert_eq!(entries(&world).await, 0);
    fleet.stop().await;
    world.end().await;
}
