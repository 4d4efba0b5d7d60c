//! Lifecycle of an execution as an operator and a device see it, with its history and explanation.
//!
//! | file | holds |
//! |---|---|
//! | [`cancel`] | cancel before and after the start |
//! | [`retry`] | a new attempt after no response or a failure |
//! | [`lane`] | one execution of a lane at a time; stop, skip and supersede |
//! | [`delivery`] | queued commands, shadows and desired states |

mod cancel;
mod delivery;
mod lane;
mod retry;

use serde_json::{Value, json};

use crate::world::{Device, World};

/// Status and reason of the execution on pump-7.
async fn status(world: &World, command: &str) -> (String, Value) {
    let shown = world.execution(command, "pump-7").await;
    (shown["status"].as_str().expect("a status").to_owned(), shown["reason"].clone())
}

async fn explanation(world: &World, command: &str) -> String {
    let response = world.get(&format!("/commands/{command}/executions/pump-7?explain")).await;
    assert_eq!(response.status, 200, "{response:?}");
    response.body["explanation"].as_str().expect("an explanation").to_owned()
}

/// Reports a status for this request, and waits until the report is handled.
async fn report(world: &World, pump: &mut Device, request: &Value, status: &str) {
    let body = json!({"executionId": request["executionId"], "attempt": request["attempt"], "status": status});
    pump.report("pump-7", body).await;
    world.settle().await;
}

/// One line per history entry: attempt, status or delivery status, and reason.
fn history_lines(shown: &Value) -> Vec<String> {
    let text = |entry: &Value, member: &str| entry[member].as_str().map(str::to_owned);
    let entries = shown["history"].as_array().expect("a history").iter();
    entries
        .map(|entry| {
            let status = text(entry, "status").or(text(entry, "deliveryStatus")).expect("a status");
            let reason = text(entry, "reason").map(|reason| format!(" {reason}")).unwrap_or_default();
            format!("{} {status}{reason}", entry["attempt"])
        })
        .collect()
}
