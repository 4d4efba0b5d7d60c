//! Reports with every status in every order, about executions of other things or none, and with oversized results.

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

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn of_three_reports_in_any_order_the_first_terminal_one_stands() {
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
        world.settle().await;
    }
    for (order, command, _) in &all {
        let at = order.iter().position(|status| *status != "IN_PROGRESS").expect("a terminal status");
        let shown = world.execution(command, "pump-7").await;
        assert_eq!((&shown["status"], &shown["result"]), (&json!(order[at]), &json!(at)), "{order:?}: {shown}");
        assert_eq!(shown["late"], false, "{order:?}");
    }
    assert!(world.stack.sqs.peek("flaghoist-failures").is_empty());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_report_about_another_thing_or_an_unknown_execution_or_attempt_changes_nothing() {
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
        // The execution has one attempt.
        pump.report("pump-7", json!({"executionId": id, "status": status, "attempt": 7})).await;
    }
    world.settle().await;
    assert_eq!(world.counted("track-command", "ReportUnknown"), sent);
    assert_eq!(world.status(&command, "pump-7").await.0, "CREATED");
    assert_eq!(world.get("/things/pump-8/executions").await.body["executions"], json!([]));
    pump.report("pump-7", json!({"executionId": id, "status": "SUCCEEDED"})).await;
    world.settle().await;
    assert_eq!(world.status(&command, "pump-7").await.0, "SUCCEEDED");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn an_oversized_result_is_cut_at_the_limit_and_marked() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    for (size, cut) in [(100, false), (12_000, true), (120_000, true)] {
        let command = world.command("pump-7", json!({})).await;
        let (_, request) = pump.next_json().await;
        let reason = json!({"reasonCode": "X".repeat(500), "reasonDescription": "d".repeat(size / 10)});
        let report = json!({"executionId": request["executionId"], "status": "FAILED", "statusReason": reason, "result": "é".repeat(size * 2 / 5)});
        pump.report("pump-7", report).await;
        world.settle().await;
        let shown = world.execution(&command, "pump-7").await;
        assert_eq!(shown["status"], "FAILED");
        assert_eq!(shown["resultCut"] == true, cut, "{shown}");
        assert!(shown.to_string().len() < 8_000);
    }
    world.end().await;
}
