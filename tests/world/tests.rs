//! Tests of the test environment itself: an unchecked world and a forged status both fail.

use serde_json::json;

use super::{EXECUTIONS, START, World};

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
#[should_panic(expected = "World::end")]
async fn dropping_a_world_without_end_panics() {
    World::start().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
#[should_panic(expected = "no report of its device says so")]
async fn a_forged_success_in_the_table_is_a_violation() {
    let world = World::start().await;
    world.command("pump-7", json!({})).await;
    let mut row = world.rows(EXECUTIONS).await.remove(0);
    for (name, value) in [
        ("status", json!({"S": "SUCCEEDED"})),
        ("progress", json!({"N": "68719411200"})),
        ("finished_at", json!({"N": (START * 1000).to_string()})),
    ] {
        row[name] = value;
    }
    world.dynamodb("PutItem", &json!({"TableName": EXECUTIONS, "Item": row})).await;
    world.end().await;
}
