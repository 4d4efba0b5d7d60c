//! Schedules: requests are sent not before the start, not after the end, and only while the window is open.

use device::fleet::BehaviourShares;
use local::faults::Fault;
use serde_json::{Value, json};

use super::operator::{count, create, pass_seconds, show, state, wait_for_state, world_with_ticks};
use super::simulated_things::{shares, start_offsets_ms, start_things};
use crate::world::{EXECUTIONS, START, World};

/// The world's time this number of seconds after its start, in RFC 3339.
fn at(seconds: i64) -> String {
    jiff::Timestamp::from_second(START + seconds).expect("the time is representable").to_string()
}

/// The times at which the executions were created, in milliseconds since 1970.
async fn creation_times_ms(world: &World) -> Vec<i64> {
    let created_at = |row: &Value| row["created_at"]["N"].as_str().and_then(|text| text.parse().ok());
    let rows = world.rows(EXECUTIONS).await;
    rows.iter().map(|row| created_at(row).unwrap_or_else(|| panic!("no created_at in {row}"))).collect()
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn nothing_is_sent_before_the_start() {
    let world = World::start().await;
    let fleet = start_things(&world, "pump", 120, BehaviourShares::default()).await;
    let id = create(&world, json!({"ttl": 40, "schedule": {"notBefore": at(250)}})).await;
    pass_seconds(&world, 5).await;
    let early = show(&world, &id).await;
    assert_eq!((early["state"].as_str(), early["counts"]["waiting"].as_u64()), (Some("SCHEDULED"), Some(120)));
    pass_seconds(&world, 244).await;
    assert_eq!((state(&world, &id).await.as_str(), fleet.stats().requests), ("SCHEDULED", 0));
    assert_eq!(world.rows(EXECUTIONS).await.len(), 0);
    pass_seconds(&world, 52).await;
    assert_eq!(fleet.stats().requests, 120, "requests are sent at the next tick");
    let done = wait_for_state(&world, &id, 10, "COMPLETED").await;
    assert_eq!(done["counts"]["SUCCEEDED"], 120, "the ttl counts from the sending");
    fleet.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn command_that_is_canceled_before_its_start_is_never_sent() {
    let world = World::start().await;
    let fleet = start_things(&world, "pump", 5, BehaviourShares::default()).await;
    let id = create(&world, json!({"schedule": {"notBefore": at(100)}})).await;
    pass_seconds(&world, 5).await;
    assert_eq!(world.cancel(&id, false).await.status, 200);
    pass_seconds(&world, 200).await;
    assert_eq!((state(&world, &id).await.as_str(), fleet.stats().requests), ("CANCELED", 0));
    assert_eq!(world.rows(EXECUTIONS).await.len(), 0);
    fleet.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn things_without_a_request_at_the_end_never_get_one() {
    let world = world_with_ticks("10").await;
    let fleet = start_things(&world, "pump", 60, BehaviourShares::default()).await;
    let schedule = json!({"notAfter": at(60 + 65)});
    let id = create(&world, json!({"rollout": {"maximumPerMinute": 30}, "schedule": schedule})).await;
    pass_seconds(&world, 64).await;
    let requests = fleet.stats().requests;
    assert!((30..=40).contains(&requests), "{requests} requests in the first 64 seconds");
    let done = wait_for_state(&world, &id, 20, "COMPLETED").await;
    let left = 60 - requests;
    assert_eq!((&done["counts"]["SUCCEEDED"], &done["counts"]["notAsked"]), (&json!(requests), &json!(left)));
    let note = format!("the schedule has ended, and {left} things were not released");
    assert_eq!(done["plan"]["notes"], json!([note]));
    pass_seconds(&world, 130).await;
    assert_eq!(fleet.stats().requests, requests);
    fleet.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn batches_whose_release_was_not_stored_still_count_at_the_end() {
    let world = world_with_ticks("10").await;
    let fleet = start_things(&world, "pump", 250, BehaviourShares::default()).await;
    // A batch is released, but the plan that says so cannot be written.
    world.stack.faults.plan(|call| {
        let body = String::from_utf8_lossy(&call.body);
        let is_plan = call.operation == "DynamoDB.PutItem" && body.contains(r#""sk":{"S":"PLAN"}"#);
        let is_release = is_plan && body.contains(r#""released":{"N":"1"#);
        (call.function == "flaghoist-fan-out-command" && is_release).then_some(Fault::Unavailable)
    });
    let schedule = json!({"notAfter": at(60 + 65)});
    let rollout = json!({"maximumPerMinute": 720});
    let id = create(&world, json!({"rollout": rollout, "schedule": schedule})).await;
    pass_seconds(&world, 80).await;
    let requests = fleet.stats().requests;
    assert_eq!(requests, 12, "each step releases the same things again");
    world.stack.faults.clear();
    let done = wait_for_state(&world, &id, 180, "COMPLETED").await;
    let left = 250 - requests;
    assert_eq!((&done["counts"]["SUCCEEDED"], &done["counts"]["notAsked"]), (&json!(requests), &json!(left)));
    let note = format!("the schedule has ended, and {left} things were not released");
    assert_eq!(done["plan"]["notes"], json!([note]));
    fleet.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn window_closes_and_opens_again_the_next_day() {
    // The world starts at 08:00 UTC. The reconciler runs every five minutes instead of each minute: a day of simulated
    // time takes less CPU then.
    let world = World::with_template(&[], |template| template.replace("rate(1 minute)", "rate(5 minutes)")).await;
    let names: Vec<String> = (0..90).map(|n| format!("pump-{n}")).collect();
    world.stack.registry.add_things("pumps", &names).expect("the group is valid");
    let window = json!({"start": "10:10", "end": "10:20", "offset": "+02:00"});
    let body = json!({"delivery": "topic", "rollout": {"maximumPerMinute": 6}, "schedule": {"window": window}});
    let id = create(&world, body).await;
    world.advance(599).await;
    assert_eq!(state(&world, &id).await, "SCHEDULED");
    let sent = async |world: &World| 90 - count(world, &id, "waiting").await;
    world.advance(2).await;
    pass_seconds(&world, 2).await;
    assert_eq!(sent(&world).await, 1, "the first one, when the window opens");
    world.advance(3600).await;
    let sent_on_first_day = sent(&world).await;
    assert_eq!(sent_on_first_day, 60, "six a minute for ten minutes");
    let last_ms = creation_times_ms(&world).await.into_iter().max().expect("executions are created");
    assert!(last_ms < (START + 1200) * 1000, "an execution was created at {last_ms}, after the window had closed");
    assert_eq!(state(&world, &id).await, "IN_PROGRESS");
    world.advance(86_400 - 3600 - 10).await;
    assert_eq!(sent(&world).await, sent_on_first_day, "the window is still closed");
    world.advance(400).await;
    assert_eq!(sent(&world).await, 90);
    let is_in_window = |at_ms: &i64| (START + 600..START + 1200).contains(&((at_ms / 1000 - START) % 86_400 + START));
    let times_ms = creation_times_ms(&world).await;
    assert!(times_ms.iter().all(is_in_window), "creations outside of the window: {times_ms:?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn report_after_the_end_of_the_schedule_is_applied() {
    let world = world_with_ticks("10").await;
    let slow = start_things(&world, "pump", 4, shares(|shares| shares.slow = 1.0)).await;
    let schedule = json!({"notAfter": at(62)});
    let id = create(&world, json!({"schedule": schedule})).await;
    let done = wait_for_state(&world, &id, 20, "COMPLETED").await;
    assert_eq!(done["counts"]["SUCCEEDED"], 4);
    assert_eq!(start_offsets_ms(&slow).len(), 4);
    slow.stop().await;
    world.end().await;
}
