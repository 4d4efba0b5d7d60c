//! The rate of a rollout is kept by the second, with the default template: no second has more requests than its share
//! of the rate, abort criteria are looked at between two steps, and a new rate holds at once. So it is if the messages
//! that bring the steps are lost, or come twice or too early.

use std::collections::BTreeMap;
use std::time::Duration;

use device::fleet::{BehaviourShares, Fleet};
use local::clock::Clock;
use local::faults::Fault;
use reqwest::Method;
use serde_json::{Value, json};

use super::operator::{control, create, create_with_topic, pass_seconds, show, wait_for_state};
use super::recount::rows_of;
use super::simulated_things::{shares, start_offsets_ms, start_things};
use crate::deadline::waiting;
use crate::world::{ApiResponse, EXECUTIONS, START, World};

/// How many things were asked in each second since the first one was.
fn asked_per_second(offsets_ms: &[i64]) -> BTreeMap<i64, usize> {
    let mut seconds = BTreeMap::new();
    for offset in offsets_ms {
        *seconds.entry(offset / 1000).or_default() += 1;
    }
    seconds
}

/// The most things that were asked within any 1,000 milliseconds.
fn most_in_a_second(offsets_ms: &[i64]) -> usize {
    let within = |from: &i64| offsets_ms.iter().filter(|at| (*from..from + 1000).contains(*at)).count();
    offsets_ms.iter().map(within).max().unwrap_or(0)
}

async fn change_rate(world: &World, id: &str, per_minute: u32) -> ApiResponse {
    let body = json!({"rollout": {"maximumPerMinute": per_minute}}).to_string();
    let changed = world.request(Method::PATCH, &format!("/commands/{id}"), &[], body).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    changed
}

async fn end(world: World, fleet: Fleet) {
    fleet.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn three_hundred_a_minute_are_five_a_second() {
    let world = World::start().await;
    let fleet = start_things(&world, "pump", 60, BehaviourShares::default()).await;
    let id = create(&world, json!({"rollout": {"maximumPerMinute": 300}})).await;
    wait_for_state(&world, &id, 30, "COMPLETED").await;
    let offsets_ms = start_offsets_ms(&fleet);
    assert_eq!((offsets_ms.len(), most_in_a_second(&offsets_ms)), (60, 5), "{offsets_ms:?}");
    // The first five at once, so the last five in the twelfth second.
    assert!((11_000..13_000).contains(&offsets_ms[59]), "{offsets_ms:?}");
    end(world, fleet).await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn at_most_one_step_follows_the_failures_that_stop_a_command() {
    let world = World::start().await;
    let fleet = start_things(&world, "pump", 60, shares(|shares| shares.fail = 1.0)).await;
    let criterion = json!({
        "failureType": "FAILED", "action": "CANCEL", "thresholdPercentage": 5, "minNumberOfExecutedThings": 5,
    });
    let body = json!({"rollout": {"maximumPerMinute": 300}, "abortConfig": {"criteriaList": [criterion]}});
    let id = create(&world, body).await;
    // The things fail within 40 ms, and their failures are counted a second later.
    for _ in 0..40 {
        waiting("a tenth of a second to pass", world.stack.advance(Duration::from_millis(100))).await;
    }
    let done = show(&world, &id).await;
    assert_eq!(done["state"], "CANCELED", "{done:#}");
    pass_seconds(&world, 70).await;
    let asked = fleet.stats().requests;
    assert!((5..=11).contains(&asked), "{asked} things were asked");
    let counts = show(&world, &id).await["counts"].clone();
    assert_eq!((&counts["waiting"], &counts["notAsked"]), (&json!(0), &json!(60 - asked)), "{counts}");
    assert!(done["why"].as_str().is_some_and(|why| why.contains("FAILED")), "{done:#}");
    end(world, fleet).await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn counts_that_lag_behind_hold_a_rollout_with_abort_criteria() {
    let world = World::start().await;
    let fleet = start_things(&world, "pump", 60, BehaviourShares::default()).await;
    let criterion = json!({
        "failureType": "FAILED", "action": "CANCEL", "thresholdPercentage": 5, "minNumberOfExecutedThings": 5,
    });
    let body = json!({"rollout": {"maximumPerMinute": 300}, "abortConfig": {"criteriaList": [criterion]}});
    world.stack.streams.hold(EXECUTIONS);
    let id = create(&world, body).await;
    pass_seconds(&world, 20).await;
    assert!(fleet.stats().requests <= 10, "{} were asked unseen", fleet.stats().requests);
    world.stack.streams.release(EXECUTIONS);
    wait_for_state(&world, &id, 90, "COMPLETED").await;
    assert_eq!(fleet.stats().requests, 60);
    end(world, fleet).await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn one_a_minute_is_one_a_minute() {
    let world = World::start().await;
    let fleet = start_things(&world, "pump", 4, BehaviourShares::default()).await;
    let id = create(&world, json!({"rollout": {"maximumPerMinute": 1}})).await;
    wait_for_state(&world, &id, 240, "COMPLETED").await;
    let offsets_ms = start_offsets_ms(&fleet);
    let late: Vec<i64> = (0..4).zip(&offsets_ms).map(|(n, at_ms)| at_ms - n * 60_000).collect();
    assert!(offsets_ms.len() == 4 && late.iter().all(|late| (0..2_000).contains(late)), "{offsets_ms:?}");
    end(world, fleet).await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_hundred_thousand_a_minute_are_1667_a_second() {
    let world = World::start().await;
    let names: Vec<String> = (0..4000).map(|n| format!("pump-{n:04}")).collect();
    world.stack.registry.add_things("pumps", &names).expect("the group is valid");
    let id = create_with_topic(&world, json!({"rollout": {"maximumPerMinute": 100_000}})).await;
    pass_seconds(&world, 5).await;
    let created_ms = |row: &Value| row["created_at"]["N"].as_str().and_then(|text| text.parse::<i64>().ok());
    let rows = rows_of(&world, &id).await;
    let offsets_ms: Vec<i64> =
        rows.iter().map(|row| created_ms(row).expect("an execution has a time") - START * 1000).collect();
    let asked = asked_per_second(&offsets_ms);
    assert!(asked.values().all(|asked| *asked <= 1667) && asked.len() <= 4, "{asked:?}");
    assert_eq!(offsets_ms.len(), 4000);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_changed_rate_holds_from_the_next_second_on() {
    let world = World::start().await;
    let fleet = start_things(&world, "pump", 80, BehaviourShares::default()).await;
    let id = create(&world, json!({"rollout": {"maximumPerMinute": 1}})).await;
    pass_seconds(&world, 10).await;
    assert_eq!(fleet.stats().requests, 1);
    change_rate(&world, &id, 600).await;
    pass_seconds(&world, 3).await;
    let asked = fleet.stats().requests;
    assert!((31..=41).contains(&asked), "{asked} after three seconds at ten a second");
    change_rate(&world, &id, 60).await;
    pass_seconds(&world, 10).await;
    let slow = fleet.stats().requests - asked;
    assert!((9..=20).contains(&slow), "{slow} in ten seconds at one a second");
    control(&world, &id, "pause").await;
    let paused = fleet.stats().requests;
    change_rate(&world, &id, 6000).await;
    pass_seconds(&world, 5).await;
    assert_eq!(fleet.stats().requests, paused, "a change does not resume");
    control(&world, &id, "resume").await;
    wait_for_state(&world, &id, 10, "COMPLETED").await;
    assert_eq!(fleet.stats().requests, 80);
    end(world, fleet).await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn rollout_goes_on_without_its_messages() {
    let world = World::start().await;
    let fleet = start_things(&world, "pump", 60, BehaviourShares::default()).await;
    let mut requests = 0;
    world.stack.faults.plan(move |call| {
        let is_send = call.function == "flaghoist-fan-out-command" && call.operation.starts_with("SQS.");
        requests += usize::from(is_send);
        (is_send && requests % 2 == 0).then_some(Fault::Unavailable)
    });
    let id = create(&world, json!({"rollout": {"maximumPerMinute": 300}})).await;
    wait_for_state(&world, &id, 400, "COMPLETED").await;
    world.stack.faults.clear();
    let offsets_ms = start_offsets_ms(&fleet);
    assert_eq!((offsets_ms.len(), most_in_a_second(&offsets_ms)), (60, 5), "{offsets_ms:?}");
    end(world, fleet).await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn rollout_goes_on_by_the_ticks_alone() {
    let world = World::start().await;
    let fleet = start_things(&world, "pump", 12, BehaviourShares::default()).await;
    world.stack.faults.plan(|call| call.operation.starts_with("SQS.").then_some(Fault::Unavailable));
    let id = create(&world, json!({"rollout": {"maximumPerMinute": 300}})).await;
    wait_for_state(&world, &id, 400, "COMPLETED").await;
    world.stack.faults.clear();
    let offsets_ms = start_offsets_ms(&fleet);
    assert_eq!((offsets_ms.len(), most_in_a_second(&offsets_ms)), (12, 5), "{offsets_ms:?}");
    end(world, fleet).await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn messages_that_come_twice_or_early_release_no_more() {
    let world = World::start().await;
    let fleet = start_things(&world, "pump", 40, BehaviourShares::default()).await;
    let id = create(&world, json!({"rollout": {"maximumPerMinute": 300}})).await;
    for _ in 0..9 {
        for body in world.stack.sqs.peek("flaghoist-ticks") {
            if body.contains("step") {
                world.stack.sqs.send("flaghoist-ticks", body);
            }
        }
        world.advance(1).await;
    }
    wait_for_state(&world, &id, 10, "COMPLETED").await;
    let offsets_ms = start_offsets_ms(&fleet);
    assert_eq!((offsets_ms.len(), most_in_a_second(&offsets_ms)), (40, 5), "{offsets_ms:?}");
    end(world, fleet).await;
}

/// The only test here that waits for time to pass: 12 seconds, with the real latency of messages, streams and functions.
#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
#[ignore = "it measures the rate on the system's clock: run it with --ignored --nocapture"]
async fn the_rate_is_kept_on_the_clock_of_the_system() {
    let world = World::on_clock(Clock::system(), false, &[], |template| template).await;
    let fleet = start_things(&world, "pump", 60, BehaviourShares::default()).await;
    let id = create(&world, json!({"rollout": {"maximumPerMinute": 300}})).await;
    for _ in 0..600 {
        if show(&world, &id).await["state"] == "COMPLETED" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let offsets_ms = start_offsets_ms(&fleet);
    println!("asked per second: {:?}, the last one after {:?} ms", asked_per_second(&offsets_ms), offsets_ms.last());
    assert_eq!(offsets_ms.len(), 60);
    assert!(offsets_ms[59] < 15_000, "{offsets_ms:?}");
    end(world, fleet).await;
}
