//! The gates of a rollout: canary and waves have to end well before the next things get their requests.

use device::fleet::{BehaviourShares, RunOutcome};
use serde_json::json;

use super::operator::{control, count, create, pass_seconds, state, wait_for_state, wait_until};
use super::simulated_things::{listed_target, shares, start_things};
use crate::world::{EXECUTIONS, World};

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn other_things_get_requests_only_after_the_canary_has_succeeded() {
    let world = World::start().await;
    let canary = start_things(&world, "canary", 3, shares(|shares| shares.slow = 1.0)).await;
    let rest = start_things(&world, "pump", 150, BehaviourShares::default()).await;
    let target = listed_target(&[&canary, &rest]);
    let id = create(&world, json!({"target": target, "rollout": {"canary": {"things": 3}}})).await;
    world.settle().await;
    assert_eq!((canary.stats().requests, rest.stats().requests), (3, 0));
    assert_eq!(state(&world, &id).await, "IN_PROGRESS");
    wait_for_state(&world, &id, 20, "COMPLETED").await;
    let ends: Vec<_> = canary.runs().iter().map(|run| run.ended.expect("the run has ended")).collect();
    assert!(ends.iter().all(|(_, outcome)| *outcome == RunOutcome::Succeeded), "{ends:?}");
    let last_end_ms = ends.iter().map(|(at_ms, _)| *at_ms).max().expect("the canary ran");
    let early: Vec<_> = rest.runs().into_iter().filter(|run| run.started_ms < last_end_ms).collect();
    assert!(early.is_empty(), "runs that started before the canary had ended at {last_end_ms}: {early:?}");
    assert_eq!(count(&world, &id, "SUCCEEDED").await, 153);
    canary.stop().await;
    rest.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn failed_canary_pauses_the_command_until_it_is_resumed() {
    let world = World::start().await;
    let canary = start_things(&world, "canary", 3, shares(|shares| shares.fail = 1.0)).await;
    let rest = start_things(&world, "pump", 12, BehaviourShares::default()).await;
    let target = listed_target(&[&canary, &rest]);
    let id = create(&world, json!({"target": target, "rollout": {"canary": {"things": 3}}})).await;
    let paused = wait_for_state(&world, &id, 20, "PAUSED").await;
    assert_eq!(paused["why"], "0 of the 3 things of the canary succeeded, less than 100 %");
    assert_eq!((paused["counts"]["FAILED"].as_u64(), paused["counts"]["waiting"].as_u64()), (Some(3), Some(12)));
    pass_seconds(&world, 130).await;
    assert_eq!((state(&world, &id).await.as_str(), rest.stats().requests), ("PAUSED", 0));
    control(&world, &id, "resume").await;
    let done = wait_for_state(&world, &id, 20, "COMPLETED").await;
    assert_eq!((done["counts"]["FAILED"].as_u64(), done["counts"]["SUCCEEDED"].as_u64()), (Some(3), Some(12)));
    assert!(done["why"].is_null(), "{done:#}");
    canary.stop().await;
    rest.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn silent_canary_pauses_the_command_after_its_ttl() {
    let world = World::start().await;
    let canary = start_things(&world, "canary", 2, shares(|shares| shares.mute = 1.0)).await;
    let rest = start_things(&world, "pump", 5, BehaviourShares::default()).await;
    let target = listed_target(&[&canary, &rest]);
    let id = create(&world, json!({"target": target, "ttl": 90, "rollout": {"canary": {"things": 2}}})).await;
    pass_seconds(&world, 89).await;
    assert_eq!(state(&world, &id).await, "IN_PROGRESS");
    let paused = wait_for_state(&world, &id, 65, "PAUSED").await;
    assert_eq!((paused["counts"]["TIMED_OUT"].as_u64(), rest.stats().requests), (Some(2), 0));
    canary.stop().await;
    rest.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn wave_starts_when_the_wave_before_has_ended() {
    let world = World::start().await;
    let fleet = start_things(&world, "pump", 210, BehaviourShares::default()).await;
    let target = listed_target(&[&fleet]);
    let id = create(&world, json!({"target": target, "rollout": {"waves": {"percentages": [10, 60]}}})).await;
    wait_for_state(&world, &id, 300, "COMPLETED").await;
    let mut runs = fleet.runs();
    runs.sort_by_key(|run| run.started_ms);
    assert_eq!(runs.len(), 210);
    for (wave_end, next_wave_end) in [(21, 126), (126, 210)] {
        let ends = runs[..wave_end].iter().map(|run| run.ended.expect("the run has ended").0);
        let last_end_ms = ends.max().expect("the wave has things");
        let starts = runs[wave_end..next_wave_end].iter().map(|run| run.started_ms);
        let next_start_ms = starts.min().expect("the next wave has things");
        assert!(last_end_ms <= next_start_ms, "a wave ended at {last_end_ms}, the next one started at {next_start_ms}");
        let gap_ms = next_start_ms - last_end_ms;
        assert!(gap_ms < 20_000, "{gap_ms} ms between two waves: the next one must not wait for a tick");
    }
    fleet.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn canary_that_runs_during_a_pause_is_still_judged_after_the_resume() {
    let world = World::start().await;
    let bad = start_things(&world, "bad", 5, shares(|shares| shares.fail = 1.0)).await;
    let rest = start_things(&world, "pump", 15, BehaviourShares::default()).await;
    let canary = json!({"things": 5, "successPercentage": 80});
    let id = create(&world, json!({"target": listed_target(&[&bad, &rest]), "rollout": {"canary": canary}})).await;
    world.settle().await;
    assert_eq!(world.rows(EXECUTIONS).await.len(), 5);
    for action in ["pause", "resume"] {
        control(&world, &id, action).await;
        world.settle().await;
    }
    let ended = wait_until(&world, &id, 40, |shown| shown["counts"]["FAILED"] == 5).await;
    assert_eq!(ended["counts"]["SUCCEEDED"], 0, "{ended:#}");
    wait_for_state(&world, &id, 10, "PAUSED").await;
    assert_eq!(rest.stats().requests, 0);
    for fleet in [bad, rest] {
        fleet.stop().await;
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn wave_with_too_few_successes_pauses_the_command() {
    let world = World::start().await;
    let good = start_things(&world, "good", 10, BehaviourShares::default()).await;
    let bad = start_things(&world, "bad", 5, shares(|shares| shares.fail = 1.0)).await;
    let rest = start_things(&world, "pump", 15, BehaviourShares::default()).await;
    let target = listed_target(&[&good, &bad, &rest]);
    let waves = json!({"percentages": [20, 50], "successPercentage": 80});
    let id = create(&world, json!({"target": target, "rollout": {"waves": waves}})).await;
    let paused = wait_for_state(&world, &id, 40, "PAUSED").await;
    assert_eq!(paused["why"], "10 of the 15 things of the wave up to 50 % succeeded, less than 80 %");
    assert_eq!((good.stats().requests, bad.stats().requests, rest.stats().requests), (10, 5, 0));
    control(&world, &id, "resume").await;
    wait_for_state(&world, &id, 40, "COMPLETED").await;
    assert_eq!(rest.stats().requests, 15);
    for fleet in [good, bad, rest] {
        fleet.stop().await;
    }
    world.end().await;
}
