//! A fleet's executions with retries, in lanes, to things that are offline, and through shadows.

use device::fleet::{BehaviourShares, FleetConfig};
use serde_json::{Map, Value, json};

use super::deadlines::due_entries;
use super::operator::{create, wait_for_state, wait_until, world_with_ticks};
use super::simulated_things::{shares, start_things, start_things_with};

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn failed_executions_are_retried() {
    let world = world_with_ticks("10").await;
    let flaky = start_things(&world, "flaky", 30, shares(|shares| shares.flaky = 1.0)).await;
    let retry = json!({"attempts": 3, "on": ["FAILED"]});
    let id = create(&world, json!({"ttl": 200, "timeout": 300, "retry": retry})).await;
    let done = wait_for_state(&world, &id, 150, "COMPLETED").await;
    assert_eq!((&done["counts"]["SUCCEEDED"], flaky.stats().requests), (&json!(30), 60));
    flaky.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn lane_runs_two_fleet_commands_one_after_the_other_on_each_thing() {
    let world = world_with_ticks("10").await;
    let fleet = start_things(&world, "pump", 20, BehaviourShares { slow: 1.0, ..BehaviourShares::default() }).await;
    let first = create(&world, json!({"ttl": 100, "timeout": 200, "lane": "valve"})).await;
    let second = create(&world, json!({"ttl": 100, "timeout": 200, "lane": "valve"})).await;
    for id in [&first, &second] {
        let done = wait_for_state(&world, id, 60, "COMPLETED").await;
        assert_eq!(done["counts"]["SUCCEEDED"], 20);
    }
    for thing in fleet.things() {
        let mut runs: Vec<_> = fleet.runs().into_iter().filter(|run| run.thing == *thing).collect();
        runs.sort_by_key(|run| run.started_ms);
        let is_in_order = runs.len() == 2 && runs[0].ended.is_some_and(|(at_ms, _)| at_ms <= runs[1].started_ms);
        assert!(is_in_order, "{runs:?}");
    }
    assert_eq!(due_entries(&world).await, 0);
    fleet.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn offline_things_get_the_request_when_they_come_online_or_it_expires() {
    let world = world_with_ticks("10").await;
    let names: Vec<String> = (0..12).map(|n| format!("pump-{n:02}")).collect();
    world.stack.registry.add_things("pumps", &names).expect("the group is valid");
    let id = create(&world, json!({"ttl": 60, "delivery": "direct"})).await;
    let queued = wait_until(&world, &id, 5, |shown| shown["counts"]["byDeliveryStatus"]["QUEUED"] == 12).await;
    assert_eq!(queued["counts"]["CREATED"], 12);
    let mut device = world.thing("pump-03").await;
    let (_, request) = device.next_json().await;
    device.report("pump-03", json!({"executionId": request["executionId"], "status": "SUCCEEDED"})).await;
    let done = wait_for_state(&world, &id, 80, "COMPLETED").await;
    assert_eq!((&done["counts"]["SUCCEEDED"], &done["counts"]["byReason"]["EXPIRED"]), (&json!(1), &json!(11)));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn requests_in_shadows_reach_every_thing_and_are_cleaned_up() {
    let world = world_with_ticks("10").await;
    let edit = |config| FleetConfig { shadows: true, shadow_commands: 1.0, ..config };
    let fleet = start_things_with(&world, 15, edit).await;
    let id = create(&world, json!({"ttl": 60, "delivery": "shadow"})).await;
    let done = wait_for_state(&world, &id, 60, "COMPLETED").await;
    assert_eq!(done["counts"]["SUCCEEDED"], 15);
    for thing in fleet.things() {
        let desired: Value = world.shadow(thing, Some("cmd"))["state"]["desired"].clone();
        assert!(desired["c"].as_object().is_none_or(Map::is_empty), "{thing}: {desired}");
    }
    assert_eq!(due_entries(&world).await, 0);
    fleet.stop().await;
    world.end().await;
}
