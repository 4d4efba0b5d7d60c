//! The responses about one execution, from CREATED to each kind of end, are as documented.

use reqwest::Method;
use serde_json::{Value, json};

use super::{conformance::check_response, document};
use crate::world::World;

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn responses_about_an_execution_hold_exactly_the_documented_members() {
    let document = document();
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;

    let body = json!({"name": "reboot", "payload": {"delay": 5}, "target": {"things": ["pump-7"]}, "heartbeat": 30});
    let post =
        |body: &Value| world.request(Method::POST, "/commands", &[("idempotency-key", "order-66")], body.to_string());
    let created = post(&body).await;
    assert_eq!(created.status, 202, "{created:?}");
    check_response(&document, "post", "/commands", &created);
    let command = created.body["commandId"].as_str().expect("an id").to_owned();

    // A final status with every optional member of the response, including a cut result.
    let (_, request) = pump.next_json().await;
    let id = &request["executionId"];
    let reason = json!({"reasonCode": "NO_POWER", "reasonDescription": "off"});
    for report in [
        json!({"executionId": id, "status": "IN_PROGRESS", "statusReason": reason, "result": {"done": "40 %"}}),
        json!({"executionId": id, "status": "FAILED", "statusReason": reason, "result": "x".repeat(5000)}),
    ] {
        pump.report("pump-7", report).await;
        world.settle().await;
    }
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!((&shown["reason"], &shown["resultCut"]), (&json!("NO_POWER"), &json!(true)), "{shown}");

    let repeated = post(&body).await;
    assert_eq!(repeated.status, 200, "{repeated:?}");
    check_response(&document, "post", "/commands", &repeated);
    let paths = document["paths"].as_object().expect("paths").iter();
    for (path, _) in paths.filter(|(_, item)| !item["get"].is_null()) {
        let response = world.get(&path.replace("{commandId}", &command).replace("{thing}", "pump-7")).await;
        assert_eq!(response.status, 200, "{path}: {response:?}");
        check_response(&document, "get", path, &response);
    }

    for (path, _) in
        document["paths"].as_object().expect("paths").iter().filter(|(path, _)| path.contains("/executions"))
    {
        let response = world.get(&path.replace("{commandId}", &command).replace("{thing}", "pump-7")).await;
        assert!(
            !response.body.to_string().contains("explanation"),
            "{path}: the explanation was not requested: {response:?}"
        );
        let explained = format!("{}?explain", path.replace("{commandId}", &command).replace("{thing}", "pump-7"));
        let response = world.get(&explained).await;
        assert!(response.body.to_string().contains("The device said FAILED (NO_POWER)."), "{path}: {response:?}");
        check_response(&document, "get", path, &response);
    }

    // Only a verdict of the cloud has a reason in the history.
    let one = "/commands/{commandId}/executions/{thing}";
    let silent = world.command("pump-8", json!({"ttl": 5})).await;
    world.advance(10).await;
    let expired = world.get(&format!("/commands/{silent}/executions/pump-8")).await;
    assert_eq!(expired.body["reason"], "EXPIRED", "{expired:?}");
    check_response(&document, "get", one, &expired);

    let refused = world.post("/commands", &json!({"name": "reboot"})).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    check_response(&document, "post", "/commands", &refused);
    let conflict = post(&json!({"name": "shutdown", "target": {"things": ["pump-7"]}})).await;
    assert_eq!(conflict.status, 409, "{conflict:?}");
    check_response(&document, "post", "/commands", &conflict);
    let missing = world.get(&format!("/commands/{command}/executions/pump-8")).await;
    assert_eq!(missing.status, 404, "{missing:?}");
    check_response(&document, "get", one, &missing);
    world.end().await;
}
