//! A fleet is asked as fast as its rollout says, and no faster; and those who come first have to end well.

use device::fleet::{Finish, Knobs};
use serde_json::json;

use super::operator::{all, ask, begun, count, listed, pass, shown, state, tell, things, ticking, until, until_state};
use crate::world::{EXECUTIONS, World};

/// The most that begin within any minute.
fn most_in_a_minute(begun: &[i64]) -> usize {
    let within = |from: i64| begun.iter().filter(|at| (from..from + 60_000).contains(*at)).count();
    begun.iter().map(|at| within(*at)).max().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_minute_has_more_than_its_rate_and_a_ticks_worth() {
    for (tick, rate, least, most) in [("10", 60, 80, 130), ("60", 40, 110, 190)] {
        let world = ticking(tick).await;
        let fleet = things(&world, "pump", 120, Knobs::default()).await;
        let id = ask(&world, json!({"rollout": {"maximumPerMinute": rate}})).await;
        until_state(&world, &id, 200, "COMPLETED").await;
        let begun = begun(&fleet);
        assert_eq!((begun.len(), count(&world, &id, "SUCCEEDED").await), (120, 120));
        let worth = rate * tick.parse::<usize>().expect("a number") / 60;
        assert!(most_in_a_minute(&begun) <= rate + worth, "{begun:?}");
        let last = begun[119] / 1000;
        assert!((least..=most).contains(&last), "{last}: {begun:?}");
        fleet.stop().await;
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_grows_with_those_that_were_asked() {
    let world = ticking("5").await;
    let fleet = things(&world, "pump", 60, Knobs::default()).await;
    let criteria = json!({"numberOfNotifiedThings": 20});
    let rate = json!({"baseRatePerMinute": 12, "incrementFactor": 2, "rateIncreaseCriteria": criteria});
    let id = ask(&world, json!({"rollout": {"exponentialRate": rate}})).await;
    until_state(&world, &id, 240, "COMPLETED").await;
    let begun = begun(&fleet);
    assert_eq!(begun.len(), 60);
    let took: Vec<i64> = [(0, 19), (20, 39), (40, 59)].iter().map(|(a, b)| (begun[*b] - begun[*a]) / 1000).collect();
    assert!((85..=105).contains(&took[0]), "20 at 12 a minute: {took:?}");
    assert!((40..=55).contains(&took[1]), "20 at 24 a minute: {took:?}");
    assert!((18..=30).contains(&took[2]), "20 at 48 a minute: {took:?}");
    fleet.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_grows_only_with_those_that_succeed() {
    let criteria = json!({"numberOfSucceededThings": 6});
    let rate = json!({"baseRatePerMinute": 12, "incrementFactor": 5, "rateIncreaseCriteria": criteria});
    let mut took = Vec::new();
    for knobs in [Knobs::default(), all(|knobs| knobs.fail = 1.0)] {
        let world = ticking("5").await;
        let fleet = things(&world, "pump", 24, knobs).await;
        let id = ask(&world, json!({"rollout": {"exponentialRate": rate}})).await;
        until_state(&world, &id, 240, "COMPLETED").await;
        took.push(begun(&fleet)[23] / 1000);
        fleet.stop().await;
        world.end().await;
    }
    assert!(took[0] <= 60 && took[1] >= 110, "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_asked_before_the_canary_has_ended_well() {
    let world = World::start().await;
    let canary = things(&world, "canary", 3, all(|knobs| knobs.slow = 1.0)).await;
    let rest = things(&world, "pump", 150, Knobs::default()).await;
    let target = listed(&[&canary, &rest]);
    let id = ask(&world, json!({"target": target, "rollout": {"canary": {"things": 3}}})).await;
    world.stack.settle().await;
    assert_eq!((canary.stats().requests, rest.stats().requests), (3, 0));
    assert_eq!(state(&world, &id).await, "IN_PROGRESS");
    until_state(&world, &id, 20, "COMPLETED").await;
    let ended = canary.runs().iter().map(|run| run.ended.expect("an end")).collect::<Vec<_>>();
    let last = ended.iter().map(|(at, _)| *at).max().expect("an end");
    assert!(ended.iter().all(|(_, how)| *how == Finish::Succeeded));
    assert!(rest.runs().iter().all(|run| run.started_ms >= last), "somebody was asked too soon");
    assert_eq!(count(&world, &id, "SUCCEEDED").await, 153);
    canary.stop().await;
    rest.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_fails_pauses_until_somebody_resumes() {
    let world = World::start().await;
    let canary = things(&world, "canary", 3, all(|knobs| knobs.fail = 1.0)).await;
    let rest = things(&world, "pump", 12, Knobs::default()).await;
    let target = listed(&[&canary, &rest]);
    let id = ask(&world, json!({"target": target, "rollout": {"canary": {"things": 3}}})).await;
    let paused = until_state(&world, &id, 20, "PAUSED").await;
    assert_eq!(paused["why"], "0 of the 3 things of the canary succeeded, less than 100 %");
    assert_eq!((paused["counts"]["FAILED"].as_u64(), paused["counts"]["waiting"].as_u64()), (Some(3), Some(12)));
    pass(&world, 130).await;
    assert_eq!((state(&world, &id).await.as_str(), rest.stats().requests), ("PAUSED", 0));
    tell(&world, &id, "resume").await;
    let done = until_state(&world, &id, 20, "COMPLETED").await;
    assert_eq!((done["counts"]["FAILED"].as_u64(), done["counts"]["SUCCEEDED"].as_u64()), (Some(3), Some(12)));
    assert!(done["why"].is_null(), "{done:#}");
    canary.stop().await;
    rest.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_stays_silent_pauses_when_its_time_is_over() {
    let world = World::start().await;
    let canary = things(&world, "canary", 2, all(|knobs| knobs.mute = 1.0)).await;
    let rest = things(&world, "pump", 5, Knobs::default()).await;
    let target = listed(&[&canary, &rest]);
    let id = ask(&world, json!({"target": target, "ttl": 90, "rollout": {"canary": {"things": 2}}})).await;
    pass(&world, 89).await;
    assert_eq!(state(&world, &id).await, "IN_PROGRESS");
    let paused = until_state(&world, &id, 65, "PAUSED").await;
    assert_eq!((paused["counts"]["TIMED_OUT"].as_u64(), rest.stats().requests), (Some(2), 0));
    canary.stop().await;
    rest.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_wave_begins_when_the_one_before_has_ended_well() {
    let world = World::start().await;
    let fleet = things(&world, "pump", 210, Knobs::default()).await;
    let target = listed(&[&fleet]);
    let id = ask(&world, json!({"target": target, "rollout": {"waves": {"percentages": [10, 60]}}})).await;
    until_state(&world, &id, 300, "COMPLETED").await;
    let mut runs = fleet.runs();
    runs.sort_by_key(|run| run.started_ms);
    assert_eq!(runs.len(), 210);
    for (before, next) in [(21, 126), (126, 210)] {
        let ended = runs[..before].iter().map(|run| run.ended.expect("an end").0).max();
        let begun = runs[before..next].iter().map(|run| run.started_ms).min();
        assert!(ended <= begun, "{ended:?} {begun:?}");
        let waited = begun.expect("some") - ended.expect("some");
        assert!(waited < 20_000, "{waited}: nobody waits for a tick");
    }
    fleet.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_was_out_when_it_was_paused_and_resumed_is_judged_all_the_same() {
    let world = World::start().await;
    let bad = things(&world, "bad", 5, all(|knobs| knobs.fail = 1.0)).await;
    let rest = things(&world, "pump", 15, Knobs::default()).await;
    let canary = json!({"things": 5, "successPercentage": 80});
    let id = ask(&world, json!({"target": listed(&[&bad, &rest]), "rollout": {"canary": canary}})).await;
    world.stack.settle().await;
    assert_eq!(world.rows(EXECUTIONS).await.len(), 5);
    for what in ["pause", "resume"] {
        tell(&world, &id, what).await;
        world.stack.settle().await;
    }
    let ended = until(&world, &id, 40, |shown| shown["counts"]["FAILED"] == 5).await;
    assert!(ended["counts"]["SUCCEEDED"] == 0, "{ended:#}");
    until_state(&world, &id, 10, "PAUSED").await;
    assert_eq!(rest.stats().requests, 0);
    for fleet in [bad, rest] {
        fleet.stop().await;
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wave_with_too_few_successes_pauses() {
    let world = World::start().await;
    let good = things(&world, "good", 10, Knobs::default()).await;
    let bad = things(&world, "bad", 5, all(|knobs| knobs.fail = 1.0)).await;
    let rest = things(&world, "pump", 15, Knobs::default()).await;
    let target = listed(&[&good, &bad, &rest]);
    let waves = json!({"percentages": [20, 50], "successPercentage": 80});
    let id = ask(&world, json!({"target": target, "rollout": {"waves": waves}})).await;
    let paused = until_state(&world, &id, 40, "PAUSED").await;
    assert_eq!(paused["why"], "10 of the 15 things of the wave up to 50 % succeeded, less than 80 %");
    assert_eq!((good.stats().requests, bad.stats().requests, rest.stats().requests), (10, 5, 0));
    tell(&world, &id, "resume").await;
    until_state(&world, &id, 40, "COMPLETED").await;
    assert_eq!(rest.stats().requests, 15);
    for fleet in [good, bad, rest] {
        fleet.stop().await;
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn things_that_are_in_two_groups_are_not_waited_for_twice() {
    let world = World::start().await;
    let fleet = things(&world, "pump", 12, Knobs::default()).await;
    world.stack.registry.add_things("north", &fleet.things()[..6]).expect("a group");
    let target = json!({"groups": ["north", "pumps"]});
    let rollout = json!({"canary": {"things": 8}, "maximumPerMinute": 1000});
    let id = ask(&world, json!({"target": target, "rollout": rollout})).await;
    let done = until(&world, &id, 100, |shown| shown["state"] == "COMPLETED").await;
    assert_eq!((done["counts"]["SUCCEEDED"].as_u64(), fleet.stats().requests), (Some(12), 12));
    assert_eq!(shown(&world, &id).await["counts"]["total"], 12);
    fleet.stop().await;
    world.end().await;
}
