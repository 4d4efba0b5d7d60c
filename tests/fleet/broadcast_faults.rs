//! Faults while a broadcast is sent: crashes, throttling, and rows that cannot be stored in time.

use device::fleet::BehaviourShares;
use local::faults::{Call, Fault};
use serde_json::json;

use super::broadcast::{TOPIC, broadcast, published, start_things};
use super::operator::{pass_seconds, wait_for_state, wait_until, world_with_ticks};

/// Whether a call publishes the broadcast itself, and not a progress event.
fn is_broadcast(call: &Call) -> bool {
    call.function == "flaghoist-fan-out-command"
        && call.operation == "IotData.Publish"
        && !call.path.contains("/events")
}

/// Checks that with one fault at the first attempt, the message is published `times`, and each thing runs the command
/// once.
async fn check_with_fault(fault: Fault, times: usize) {
    let world = world_with_ticks("10").await;
    let fleet = start_things(&world, "pump", 40, BehaviourShares::default()).await;
    let mut is_injected = false;
    world.stack.faults.plan(move |call| {
        let is_first = is_broadcast(call) && !is_injected;
        is_injected |= is_first;
        is_first.then_some(fault)
    });
    let id = broadcast(&world, json!({"ttl": 120})).await;
    let done = wait_for_state(&world, &id, 100, "COMPLETED").await;
    assert_eq!(done["counts"]["SUCCEEDED"], 40, "{fault:?}");
    // In this time a function that does not know the outcome sends the message again.
    pass_seconds(&world, 45).await;
    assert_eq!(published(&world, |topic| topic == TOPIC).len(), times, "{fault:?}");
    assert_eq!(fleet.stats().started, 40, "each thing runs the command once: {fault:?}");
    fleet.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn broadcast_is_sent_after_a_crash_before_the_call() {
    check_with_fault(Fault::KillBefore, 1).await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn broadcast_is_sent_after_a_throttled_call() {
    check_with_fault(Fault::Throttle, 1).await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn broadcast_with_unknown_outcome_is_sent_again_and_runs_once() {
    check_with_fault(Fault::KillAfter, 2).await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn repeated_throttling_only_delays_a_broadcast() {
    let world = world_with_ticks("10").await;
    let fleet = start_things(&world, "pump", 10, BehaviourShares::default()).await;
    let mut faults_left = 8;
    world.stack.faults.plan(move |call| {
        let is_throttled = is_broadcast(call) && faults_left > 0;
        faults_left -= i32::from(is_throttled);
        is_throttled.then_some(Fault::Throttle)
    });
    let id = broadcast(&world, json!({"ttl": 90})).await;
    let done = wait_for_state(&world, &id, 80, "COMPLETED").await;
    assert_eq!((&done["counts"]["SUCCEEDED"], published(&world, |topic| topic == TOPIC).len()), (&json!(10), 1));
    fleet.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn broadcast_that_is_not_sent_within_its_ttl_expires() {
    for body in [json!({"ttl": 40}), json!({"ttl": 40, "heartbeat": 20})] {
        let world = world_with_ticks("10").await;
        let fleet = start_things(&world, "pump", 25, BehaviourShares::default()).await;
        // One row cannot be stored, and the broadcast is sent only after every row is stored.
        world.stack.faults.plan(|call| {
            let is_row = call.operation == "DynamoDB.PutItem";
            (is_row && String::from_utf8_lossy(&call.body).contains("T#pump-07")).then_some(Fault::Throttle)
        });
        let id = broadcast(&world, body).await;
        let late = wait_until(&world, &id, 70, |shown| shown["counts"]["TIMED_OUT"] == 24).await;
        let counts = &late["counts"];
        let expected = (&json!(24), &json!(24));
        assert_eq!((&counts["byReason"]["EXPIRED"], &counts["byDeliveryStatus"]["PENDING"]), expected);
        world.stack.faults.clear();
        let done = wait_for_state(&world, &id, 40, "COMPLETED").await;
        assert_eq!((&done["counts"]["byReason"]["EXPIRED"], fleet.stats().broadcasts), (&json!(25), 0));
        assert_eq!(world.status(&id, "pump-01").await, ("TIMED_OUT".to_owned(), "EXPIRED".to_owned()));
        fleet.stop().await;
        world.end().await;
    }
}
