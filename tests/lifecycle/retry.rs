//! Retries: an attempt that got no response or failed is followed by another one where the policy says so.

use serde_json::json;

use super::{explanation, history_lines, report, status};
use crate::world::{World, without_wakes};

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn an_attempt_without_a_response_is_followed_by_the_next() {
    let world = World::with_parameters(&[("ReconcileSeconds", "5")]).await;
    let mut pump = world.thing("pump-7").await;
    let retry = json!({"attempts": 2, "wait": 30, "backoff": {"base": 0}});
    let command = world.command("pump-7", json!({"delivery": "topic", "retry": retry})).await;
    let (_, first) = pump.next_json().await;
    assert_eq!(
        explanation(&world, &command).await,
        "It was sent to pump-7, which has not answered. \
         If it has not begun by 2027-01-15T08:00:30.000Z, attempt 2 of 2 follows."
    );
    world.advance(100).await;
    let (_, second) = pump.next_json().await;
    assert_eq!((&first["attempt"], &second["attempt"]), (&json!(1), &json!(2)));
    assert_eq!(first["executionId"], second["executionId"]);
    assert!(pump.has_nothing(), "the policy allows two attempts");
    report(&world, &mut pump, &second, "SUCCEEDED").await;
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!((&shown["status"], &shown["attempt"], &shown["late"]), (&json!("SUCCEEDED"), &json!(2), &json!(false)));
    let history = ["1 CREATED", "1 SENT", "1 CREATED NO_RESPONSE", "2 SENT", "2 DELIVERED", "2 SUCCEEDED"];
    assert_eq!(history_lines(&shown), history);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_report_is_recorded_under_the_attempt_that_it_names() {
    let world = World::with_parameters(&[("ReconcileSeconds", "5")]).await;
    let mut pump = world.thing("pump-7").await;
    let retry = json!({"attempts": 2, "wait": 30, "backoff": {"base": 0}});
    let command = world.command("pump-7", json!({"delivery": "topic", "retry": retry})).await;
    let (_, first) = pump.next_json().await;
    world.advance(100).await;
    assert_eq!(pump.next_json().await.1["attempt"], 2);
    report(&world, &mut pump, &first, "SUCCEEDED").await;
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!((&shown["status"], &shown["attempt"]), (&json!("SUCCEEDED"), &json!(2)), "two attempts were made");
    let history = ["1 CREATED", "1 SENT", "1 CREATED NO_RESPONSE", "2 SENT", "1 DELIVERED", "1 SUCCEEDED"];
    assert_eq!(history_lines(&shown), history);
    assert_eq!(
        explanation(&world, &command).await,
        "The device said SUCCEEDED to attempt 1 of 2. Nothing more will happen."
    );
    world.end().await;
}

/// A device that begins late ignores the next attempt's request: all that it says of its run names the first attempt.
#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn every_report_of_a_run_that_began_late_counts() {
    for (end, ended) in [("FAILED", "FAILED"), ("REJECTED", "REJECTED"), ("SUCCEEDED", "SUCCEEDED")] {
        let world = World::with_parameters(&[("ReconcileSeconds", "5")]).await;
        let mut pump = world.thing("pump-7").await;
        let retry = json!({"attempts": 2, "on": ["NO_RESPONSE"], "wait": 30, "backoff": {"base": 0}});
        let command = world.command("pump-7", json!({"delivery": "topic", "heartbeat": 10, "retry": retry})).await;
        let (_, first) = pump.next_json().await;
        world.advance(32).await;
        assert_eq!(pump.next_json().await.1["attempt"], 2);
        for _ in 0..8 {
            report(&world, &mut pump, &first, "IN_PROGRESS").await;
            assert_eq!(status(&world, &command).await.0, "IN_PROGRESS", "its heartbeats count");
            world.advance(10).await;
        }
        report(&world, &mut pump, &first, end).await;
        let shown = world.execution(&command, "pump-7").await;
        assert_eq!((&shown["status"], &shown["attempt"], &shown["late"]), (&json!(ended), &json!(2), &json!(false)));
        let history = history_lines(&shown);
        assert_eq!(history[history.len() - 2..], ["1 IN_PROGRESS".to_owned(), format!("1 {ended}")], "{history:?}");
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_failure_is_retried_only_where_the_policy_names_it() {
    let world = World::with_parameters(&[("ReconcileSeconds", "5")]).await;
    let mut pump = world.thing("pump-7").await;
    let retry = json!({"attempts": 2, "on": ["FAILED"], "backoff": {"base": 0}});
    let command = world.command("pump-7", json!({"retry": retry})).await;
    let (_, first) = pump.next_json().await;
    report(&world, &mut pump, &first, "FAILED").await;
    let (_, second) = pump.next_json().await;
    assert_eq!(second["attempt"], 2, "the retry is immediate without backoff");
    report(&world, &mut pump, &second, "REJECTED").await;
    assert_eq!(status(&world, &command).await.0, "REJECTED");
    assert_eq!(
        explanation(&world, &command).await,
        "The device said REJECTED to attempt 2 of 2. Nothing more will happen."
    );
    world.end().await;
}

/// The next attempt finds no device, so that nothing else is known of it than its own failure.
#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn failure_of_the_device_is_the_end_where_no_other_attempt_went_out() {
    let world = World::with_template(&[], without_wakes).await;
    let mut pump = world.thing("pump-7").await;
    let retry = json!({"attempts": 3, "on": ["FAILED", "NO_RESPONSE"], "wait": 5, "backoff": {"base": 1, "cap": 2}});
    let command = world.command("pump-7", json!({"ttl": 30, "timeout": 60, "retry": retry})).await;
    let (_, first) = pump.next_json().await;
    let failure = json!({
        "executionId": first["executionId"],
        "status": "FAILED",
        "statusReason": {"reasonCode": "PUMP_JAMMED", "reasonDescription": "a stone"},
        "result": {"pressure": 9},
    });
    // Its report comes through another connection, since the next attempt may go out at once.
    pump.leave().await;
    let mut gateway = world.device("gateway-1", &[]).await;
    gateway.report("pump-7", failure).await;
    world.settle().await;
    world.advance(4).await;
    let tick = json!({"kind": "tick", "scheduledTime": world.now()}).to_string();
    world.invoke("reconcile-commands", &tick).await.expect("a tick");
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!((&shown["attempt"], &shown["deliveryStatus"]), (&json!(2), &json!("QUEUED")), "{shown}");
    let next = "If that does not happen by 2027-01-15T08:00:30.000Z, it ends as its device ended the attempt before \
                (FAILED).";
    assert!(explanation(&world, &command).await.contains(next), "{}", explanation(&world, &command).await);
    // What reading shows after the ttl is what is written at the next tick.
    world.advance(27).await;
    let end = |shown: &serde_json::Value| {
        ["status", "reason", "reasonDescription", "result", "late"].map(|name| shown[name].to_string())
    };
    let read = world.execution(&command, "pump-7").await;
    assert_eq!(end(&read)[..2], [r#""FAILED""#, r#""PUMP_JAMMED""#], "{read}");
    let steps = ["1 CREATED", "1 SENT", "1 DELIVERED", "1 CREATED FAILED", "2 QUEUED", "2 FAILED PUMP_JAMMED"];
    assert_eq!(history_lines(&read), steps);
    let last = read["history"].as_array().and_then(|steps| steps.last()).expect("a step");
    assert_eq!((&last["at"], last.get("by")), (&json!("2027-01-15T08:00:30.000Z"), None));
    world.advance(60).await;
    let written = world.execution(&command, "pump-7").await;
    assert_eq!((end(&written), history_lines(&written)), (end(&read), history_lines(&read)));
    assert_eq!(
        written["history"].as_array().and_then(|steps| steps.last()).expect("a step")["by"],
        "reconcile-commands"
    );
    assert_eq!((&written["result"], &written["late"]), (&json!({"pressure": 9}), &json!(false)));
    assert!(
        explanation(&world, &command).await.starts_with(
            "The device said FAILED (PUMP_JAMMED) to attempt 1 of 3, and no other attempt went out in time."
        )
    );
    let mut pump = world.thing("pump-7").await;
    world.settle().await;
    assert!(pump.has_nothing());
    world.end().await;
}
