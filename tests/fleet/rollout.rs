//! The rate of a rollout: no minute has more requests than it allows, and it grows as configured.

use device::fleet::BehaviourShares;
use serde_json::json;

use super::operator::{count, create, show, wait_for_state, wait_until, world_with_ticks};
use super::simulated_things::{shares, start_offsets_ms, start_things};
use crate::world::World;

/// The most starts within any 60 seconds.
fn max_starts_in_a_minute(starts_ms: &[i64]) -> usize {
    let within = |from: i64| starts_ms.iter().filter(|at| (from..from + 60_000).contains(*at)).count();
    starts_ms.iter().map(|at| within(*at)).max().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn no_minute_exceeds_the_rate_by_more_than_one_second() {
    for (tick, rate, min_seconds, max_seconds) in [("10", 60, 119, 122), ("60", 40, 178, 182)] {
        let world = world_with_ticks(tick).await;
        let fleet = start_things(&world, "pump", 120, BehaviourShares::default()).await;
        let id = create(&world, json!({"rollout": {"maximumPerMinute": rate}})).await;
        wait_for_state(&world, &id, 200, "COMPLETED").await;
        let starts_ms = start_offsets_ms(&fleet);
        assert_eq!((starts_ms.len(), count(&world, &id, "SUCCEEDED").await), (120, 120));
        assert!(max_starts_in_a_minute(&starts_ms) <= rate + 1, "{starts_ms:?}");
        let last = starts_ms[119] / 1000;
        assert!((min_seconds..=max_seconds).contains(&last), "the last start is after {last} s: {starts_ms:?}");
        fleet.stop().await;
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn exponential_rate_grows_with_the_notified_things() {
    let world = world_with_ticks("5").await;
    let fleet = start_things(&world, "pump", 60, BehaviourShares::default()).await;
    let criteria = json!({"numberOfNotifiedThings": 20});
    let rate = json!({"baseRatePerMinute": 12, "incrementFactor": 2, "rateIncreaseCriteria": criteria});
    let id = create(&world, json!({"rollout": {"exponentialRate": rate}})).await;
    wait_for_state(&world, &id, 240, "COMPLETED").await;
    let starts_ms = start_offsets_ms(&fleet);
    assert_eq!(starts_ms.len(), 60);
    let seconds = |first: usize, last: usize| (starts_ms[last] - starts_ms[first]) / 1000;
    let parts = [seconds(0, 19), seconds(20, 39), seconds(40, 59)];
    assert!((85..=105).contains(&parts[0]), "20 things at 12 per minute: {parts:?}");
    assert!((40..=55).contains(&parts[1]), "20 things at 24 per minute: {parts:?}");
    assert!((18..=30).contains(&parts[2]), "20 things at 48 per minute: {parts:?}");
    fleet.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn exponential_rate_by_successes_does_not_grow_with_failures() {
    let criteria = json!({"numberOfSucceededThings": 6});
    let rate = json!({"baseRatePerMinute": 12, "incrementFactor": 5, "rateIncreaseCriteria": criteria});
    let mut seconds = Vec::new();
    for shares in [BehaviourShares::default(), shares(|shares| shares.fail = 1.0)] {
        let world = world_with_ticks("5").await;
        let fleet = start_things(&world, "pump", 24, shares).await;
        let id = create(&world, json!({"rollout": {"exponentialRate": rate}})).await;
        wait_for_state(&world, &id, 240, "COMPLETED").await;
        seconds.push(start_offsets_ms(&fleet)[23] / 1000);
        fleet.stop().await;
        world.end().await;
    }
    assert!(seconds[0] <= 60 && seconds[1] >= 110, "seconds with successes, with failures: {seconds:?}");
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn thing_in_two_groups_counts_once_for_the_rollout() {
    let world = World::start().await;
    let fleet = start_things(&world, "pump", 12, BehaviourShares::default()).await;
    world.stack.registry.add_things("north", &fleet.things()[..6]).expect("the group is valid");
    let target = json!({"groups": ["north", "pumps"]});
    let rollout = json!({"canary": {"things": 8}, "maximumPerMinute": 1000});
    let id = create(&world, json!({"target": target, "rollout": rollout})).await;
    let done = wait_until(&world, &id, 100, |shown| shown["state"] == "COMPLETED").await;
    assert_eq!((done["counts"]["SUCCEEDED"].as_u64(), fleet.stats().requests), (Some(12), 12));
    assert_eq!(show(&world, &id).await["counts"]["total"], 12);
    fleet.stop().await;
    world.end().await;
}
