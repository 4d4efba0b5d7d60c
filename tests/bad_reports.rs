//! Reports with every status in every order, about executions of other things or none, and with oversized results.

use serde_json::{Value, json};

use crate::world::{EXECUTIONS, World};

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
        sent += 1;
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

/// A report that the shadow service refuses is in no shadow: without this, the device's answer would be a silent
/// NO_RESPONSE.
#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn explanation_shows_that_a_shadow_refused_the_report_of_its_device() {
    let world = World::start().await;
    let mut pump = world.device("pump-7", &["$aws/things/pump-7/shadow/#"]).await;
    let command = world.command("pump-7", json!({"delivery": "shadow", "shadow": "map", "ttl": 60})).await;
    let path = format!("/commands/{command}/executions/pump-7?explain");
    let too_large = json!({"state": {"reported": {"log": "x".repeat(9_000)}}});
    let outdated = json!({"state": {"reported": {"c": {}}}, "version": 77});
    for (shadow, mut update, reason) in [
        ("shadow/name/cmd", too_large, "the shadow cmd refused an update with 413: "),
        ("shadow/name/cmd", outdated, "the shadow cmd refused an update with 409: Version conflict"),
        ("shadow", json!({"no": "state"}), "the classic shadow refused an update with 400: "),
    ] {
        // A device retries, with a token of its own for each.
        for token in ["t-1", "t-2", "t-3"] {
            update["clientToken"] = token.into();
            pump.publish(&format!("$aws/things/pump-7/{shadow}/update"), update.to_string()).await;
            world.settle().await;
        }
        let shown = world.get(&path).await.body;
        let last = shown["unusableReports"].as_array().and_then(|reports| reports.last()).expect("a report");
        assert!(last["reason"].as_str().is_some_and(|text| text.starts_with(reason)), "{shown}");
        assert_eq!(last["excerpt"], "", "{shown}");
        assert_eq!(shown["status"], "CREATED");
    }
    let shown = world.get(&path).await.body;
    assert_eq!(shown["unusableReports"].as_array().map(Vec::len), Some(3), "each once: {shown}");
    let explanation = shown["explanation"].as_str().expect("an explanation");
    assert!(explanation.contains("could not be used: the classic shadow refused"), "{explanation}");
    assert!(world.stack.sqs.peek("flaghoist-failures").is_empty());
    while pump.try_next().is_some() {}
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn explanation_shows_the_last_reports_that_could_not_be_used() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let command = world.command("pump-7", json!({})).await;
    let (_, request) = pump.next_json().await;
    let id = request["executionId"].as_str().expect("an id").to_owned();
    let other = world.command("pump-7", json!({})).await;
    let path = |command: &str| format!("/commands/{command}/executions/pump-7?explain");
    let shown = world.get(&path(&command)).await.body;
    assert_eq!(shown["unusableReports"], json!([]), "{shown}");
    let reports = [
        json!({"executionId": id, "status": "CANCELED"}).to_string(),
        json!({"executionId": id, "status": "SUCCEEDED", "attempt": 7}).to_string(),
        "DONE".to_owned(),
        // Another application's request: no device author is helped by it.
        "SUCCESS: command ran successfully from payload: b'light: on'".to_owned(),
    ];
    for report in reports {
        pump.publish("cmd/pump-7/resp", report).await;
        world.settle().await;
    }
    let reasons = |shown: &Value| -> Vec<String> {
        let reports = shown["unusableReports"].as_array().expect("a list");
        reports.iter().map(|report| report["reason"].as_str().expect("a reason").to_owned()).collect()
    };
    let shown = world.get(&path(&command)).await.body;
    let found = reasons(&shown);
    assert_eq!(found.len(), 3, "{shown}");
    assert!(found[0].contains("CANCELED") && found[2].contains("DONE"), "{found:?}");
    assert_eq!(found[1], "the execution has not had this attempt");
    assert_eq!(shown["unusableReports"][2]["excerpt"], "DONE");
    let explanation = shown["explanation"].as_str().expect("an explanation");
    assert!(explanation.contains("could not be used: ") && explanation.contains("DONE"), "{explanation}");
    assert_eq!(shown["status"], "CREATED");
    // What names no execution may be about the other one as well.
    let of_other = world.get(&path(&other)).await.body;
    assert_eq!(reasons(&of_other), found[2..]);
    let without = world.execution(&command, "pump-7").await;
    assert!(without.get("unusableReports").is_none(), "{without}");
    // The device repeats itself: nothing is written.
    let rows = world.rows(EXECUTIONS).await;
    pump.publish("cmd/pump-7/resp", "DONE").await;
    world.settle().await;
    assert_eq!(world.rows(EXECUTIONS).await, rows);
    pump.report("pump-7", json!({"executionId": id, "status": "SUCCEEDED"})).await;
    world.settle().await;
    assert_eq!(world.status(&command, "pump-7").await.0, "SUCCEEDED");
    world.end().await;
}
