//! Devices that answer with every status in every order, for executions that never were, for others', and with too much.

use serde_json::json;

use crate::world::World;

const STATUSES: [&str; 5] = ["IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED", "TIMED_OUT"];

fn orders() -> Vec<[&'static str; 3]> {
    let mut orders = Vec::new();
    for a in STATUSES {
        for b in STATUSES.into_iter().filter(|b| *b != a) {
            orders.extend(STATUSES.into_iter().filter(|c| *c != a && *c != b).map(|c| [a, b, c]));
        }
    }
    orders
}

#[tokio::test(flavor = "multi_thread")]
async fn of_three_answers_in_any_order_the_first_that_ends_it_stands() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let mut all = Vec::new();
    for order in orders() {
        let command = world.command("pump-7", json!({})).await;
        let (_, request) = pump.next_json().await;
        all.push((order, command, request["executionId"].clone()));
    }
    assert_eq!(all.len(), 60);
    for n in 0..3 {
        for (order, _, id) in &all {
            pump.report("pump-7", json!({"executionId": id, "status": order[n], "result": n})).await;
        }
        world.stack.settle().await;
    }
    for (order, command, _) in &all {
        let at = order.iter().position(|status| *status != "IN_PROGRESS").expect("an end");
        let shown = world.execution(command, "pump-7").await;
        assert_eq!((&shown["status"], &shown["result"]), (&json!(order[at]), &json!(at)), "{order:?}: {shown}");
        assert_eq!(shown["late"], false, "{order:?}");
    }
    assert!(world.stack.sqs.peek("flaghoist-failures").is_empty());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_answers_for_what_is_not_theirs_or_never_was() {
    let world = World::start().await;
    let (mut pump, mut other) = (world.thing("pump-7").await, world.thing("pump-8").await);
    let command = world.command("pump-7", json!({})).await;
    let (_, request) = pump.next_json().await;
    let id = request["executionId"].as_str().expect("an id").to_owned();
    let mut sent = 0;
    for status in STATUSES {
        for id in [&id, "aaaaaaaaaaaaaaaaaaaaaaaaaa"] {
            other.report("pump-8", json!({"executionId": id, "status": status})).await;
            sent += 1;
        }
        // Actor an attempt that never was.
        pump.report("pump-7", json!({"executionId": id, "status": status, "attempt": 7})).await;
    }
    world.stack.settle().await;
    assert_eq!(world.counted("track-command", "ReportUnknown"), sent);
    assert_eq!(world.status(&command, "pump-7").await.0, "CREATED");
    assert_eq!(world.get("/things/pump-8/executions").await.body["executions"], json!([]));
    pump.report("pump-7", json!({"executionId": id, "status": "SUCCEEDED"})).await;
    world.stack.settle().await;
    assert_eq!(world.status(&command, "pump-7").await.0, "SUCCEEDED");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_is_too_large_is_kept_up_to_the_cap_and_marked() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    for (size, cut) in [(100, false), (12_000, true), (120_000, true)] {
        let command = world.command("pump-7", json!({})).await;
        let (_, request) = pump.next_json().await;
        let reason = json!({"reasonCode": "X".repeat(500), "reasonDescription": "d".repeat(size / 10)});
        let report = json!({"executionId": request["executionId"], "status": "FAILED", "statusReason": reason, "result": "é".repeat(size * 2 / 5)});
        pump.report("pump-7", report).await;
        world.stack.settle().await;
        let shown = world.execution(&command, "pump-7").await;
        assert_eq!(shown["status"], "FAILED");
        assert_eq!(shown["resultCut"] == true, cut, "{shown}");
        assert!(shown.to_string().len() < 8_000);
    }
    world.end().await;
}
