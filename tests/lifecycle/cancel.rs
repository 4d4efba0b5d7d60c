//! Cancel: without force only before the start; a late report of the device still wins.

use serde_json::json;

use super::{explanation, history_lines, report, status};
use crate::world::World;

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn canceling_before_the_start_notifies_the_device() {
    let world = World::start().await;
    let mut pump = world.device("pump-7", &["cmd/pump-7/req", "cmd/pump-7/cancel"]).await;
    let command = world.command("pump-7", json!({})).await;
    let (_, request) = pump.next_json().await;
    let canceled = world.cancel(&command, false).await;
    assert_eq!((canceled.status, &canceled.body["counts"]["CANCELED"]), (200, &json!(1)), "{canceled:?}");
    let (topic, notice) = pump.next_json().await;
    assert_eq!(topic, "cmd/pump-7/cancel");
    assert_eq!(notice, json!({"executionId": request["executionId"], "attempt": 1}));
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!(history_lines(&shown), ["1 CREATED", "1 SENT", "1 DELIVERED", "1 CANCELED CANCELED_BY_OPERATOR"]);
    assert_eq!(shown["history"][3]["by"], shown["createdBy"], "the actor is the operator");
    assert_eq!(world.cancel(&command, true).await.status, 200, "a second cancel changes nothing");
    assert_eq!(world.cancel("018bcfe5-687b-7000-8000-000000000000", true).await.status, 404);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn canceling_a_running_execution_needs_force_and_late_success_overrides_it() {
    let world = World::start().await;
    let mut pump = world.device("pump-7", &["cmd/pump-7/req", "cmd/pump-7/cancel"]).await;
    let command = world.command("pump-7", json!({})).await;
    let (_, request) = pump.next_json().await;
    report(&world, &mut pump, &request, "IN_PROGRESS").await;
    let refused = world.cancel(&command, false).await;
    assert_eq!((refused.status, &refused.body["field"]), (409, &json!("force")), "{refused:?}");
    assert_eq!(world.cancel(&command, true).await.status, 200);
    assert_eq!(pump.next().await.0, "cmd/pump-7/cancel");
    assert_eq!(status(&world, &command).await, ("CANCELED".to_owned(), json!("CANCELED_BY_OPERATOR")));
    assert!(explanation(&world, &command).await.ends_with("A late answer of the device would still count."));

    report(&world, &mut pump, &request, "SUCCEEDED").await;
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!((&shown["status"], &shown["late"]), (&json!("SUCCEEDED"), &json!(true)));
    assert_eq!(
        explanation(&world, &command).await,
        "The device said SUCCEEDED, after it had been called off. Nothing more will happen."
    );
    let ended = world.cancel(&command, true).await;
    assert_eq!((ended.status, &ended.body["field"]), (409, &json!("status")), "{ended:?}");
    world.end().await;
}
