//! Retries: an attempt that got no response or failed is followed by another one where the policy says so.

use serde_json::json;

use super::{explanation, history_lines, report, status};
use crate::world::World;

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
