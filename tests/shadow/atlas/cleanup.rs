//! Clean-up when the entry was replaced, the shadow deleted, or the write conflicts.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use local::faults::Fault;
use serde_json::json;

use super::{THING, create, desired_command, is_clean, is_idle, status_and_reason, world};

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_command_of_another_writer_stays_in_the_shadow() {
    let world = world().await;
    let command = create(&world, "go", 300).await;
    let foreign = json!([{"relay-command": {"message": "stop", "topic": "cmd/device1/response", "ttl": 300}}]);
    world.update_shadow(THING, None, &json!({"desired": {"command": foreign}}));
    world.advance(300).await;
    assert_eq!(world.status(&command, THING).await, status_and_reason("TIMED_OUT", "NO_RESPONSE"));
    assert_eq!(desired_command(&world), Some(foreign.clone()));
    assert!(is_idle(&world).await);
    // The echo of the other writer's command is no report of the execution.
    world.update_shadow(THING, None, &json!({"reported": {"command": foreign}}));
    world.settle().await;
    assert_eq!(world.status(&command, THING).await.0, "TIMED_OUT");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_deleted_shadow_is_not_created_by_the_clean_up() {
    let world = world().await;
    let command = create(&world, "go", 300).await;
    world.stack.shadows.delete(THING, None).expect("deleted");
    world.advance(300).await;
    assert_eq!(world.status(&command, THING).await, status_and_reason("TIMED_OUT", "NO_RESPONSE"));
    assert!(world.shadow(THING, None).is_null() && is_idle(&world).await);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_clean_up_that_conflicts_is_retried_until_it_succeeds() {
    let world = world().await;
    let command = create(&world, "go", 300).await;
    // One conflict: the function reads the shadow again and writes.
    let updates = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&updates);
    world.stack.faults.plan(move |call| {
        let update = call.operation == "IotData.UpdateThingShadow";
        (update && counter.fetch_add(1, Ordering::Relaxed) == 0).then_some(Fault::Conflict)
    });
    assert_eq!(world.cancel(&command, false).await.status, 200);
    assert!(updates.load(Ordering::Relaxed) >= 2);
    assert!(is_clean(&world));
    world.advance(60).await;
    assert!(is_clean(&world) && is_idle(&world).await);

    // Permanent conflicts: the execution stays due, and a later tick cleans the shadow.
    let command = create(&world, "go", 300).await;
    world.stack.faults.plan(|call| (call.operation == "IotData.UpdateThingShadow").then_some(Fault::Conflict));
    assert_eq!(world.cancel(&command, false).await.status, 200);
    assert!(!is_clean(&world) && !is_idle(&world).await);
    let next = create(&world, "next", 600).await;
    world.stack.faults.clear();
    world.advance(60).await;
    world.advance(60).await;
    assert_eq!(desired_command(&world).expect("a command")[0]["relay-command"]["message"], "next");
    assert_eq!(world.cancel(&next, false).await.status, 200);
    assert!(is_clean(&world));
    world.advance(60).await;
    assert!(is_clean(&world) && is_idle(&world).await);
    world.end().await;
}
