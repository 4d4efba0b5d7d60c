//! The responses to a command with every member, to its cancel, and to refused commands are as documented.

use serde_json::{Value, json};

use super::{conformance::check_response, document};
use crate::world::World;

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn responses_to_a_command_with_every_member_and_its_cancel_are_documented() {
    let document = document();
    let world = World::start().await;
    let mut body =
        document["paths"]["/commands"]["post"]["requestBody"]["content"]["application/json"]["examples"]["everything"]
            ["value"]
            .clone();
    body["waitSeconds"] = json!(0);
    let created = world.post("/commands", &body).await;
    assert_eq!(created.status, 202, "{created:?}");
    check_response(&document, "post", "/commands", &created);
    let id = created.body["commandId"].as_str().expect("an id").to_owned();
    let shown = world.get(&format!("/commands/{id}")).await;
    check_response(&document, "get", "/commands/{commandId}", &shown);
    for field in
        ["name", "payload", "target", "delivery", "shadow", "ttl", "timeout", "heartbeat", "retry", "lane", "supersede"]
    {
        assert_eq!(shown.body[field], body[field], "{field}");
    }

    let (route, one) = ("/commands/{commandId}/cancel", "/commands/{commandId}/executions/{thing}");
    let cancel = |body: Value| {
        let (world, path) = (&world, route.replace("{commandId}", &id));
        async move { world.post(&path, &body).await }
    };
    let wrong = cancel(json!({"force": 1})).await;
    assert_eq!(wrong.status, 400, "{wrong:?}");
    check_response(&document, "post", route, &wrong);
    let canceled = cancel(json!({})).await;
    assert_eq!((canceled.status, &canceled.body["state"]), (200, &json!("COMPLETED")), "{canceled:?}");
    check_response(&document, "post", route, &canceled);
    let shown = world.get(&format!("/commands/{id}/executions/pump-7?explain=true")).await;
    assert_eq!(shown.body["via"], "shadow/map/cmd", "{shown:?}");
    check_response(&document, "get", one, &shown);

    let mut pump = world.thing("pump-8").await;
    let running = world.command("pump-8", json!({"retry": {"on": ["FAILED"], "backoff": {"base": 0}}})).await;
    let (_, request) = pump.next_json().await;
    let reason = json!({"reasonCode": "NO_POWER"});
    let id = &request["executionId"];
    pump.report("pump-8", json!({"executionId": id, "status": "FAILED", "statusReason": reason})).await;
    pump.next_json().await;
    pump.report("pump-8", json!({"executionId": id, "status": "IN_PROGRESS", "attempt": 2})).await;
    world.settle().await;
    let shown = world.get(&format!("/commands/{running}/executions/pump-8?explain")).await;
    assert!(shown.body.to_string().contains(r#""deviceReason":"NO_POWER""#), "{shown:?}");
    check_response(&document, "get", one, &shown);
    let refused = world.post(&format!("/commands/{running}/cancel"), &json!({})).await;
    assert_eq!(refused.status, 409, "{refused:?}");
    check_response(&document, "post", route, &refused);
    let missing = world.post("/commands/018bcfe5-687b-7000-8000-000000000000/cancel", &json!({})).await;
    assert_eq!(missing.status, 404, "{missing:?}");
    check_response(&document, "post", route, &missing);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn refusals_of_what_exceeds_a_limit_are_documented() {
    let document = document();
    let world = World::start().await;
    let body = |more: Value| {
        let mut body = json!({"name": "reboot", "target": {"things": ["pump-7"]}});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        body
    };
    let large = body(json!({"delivery": "shadow", "payload": {"text": "x".repeat(3500)}}));
    for status in [202, 202, 413] {
        let response = world.post("/commands", &large).await;
        assert_eq!(response.status, status, "{response:?}");
        check_response(&document, "post", "/commands", &response);
    }
    let laned = body(json!({"lane": "valve"}));
    for _ in 0..100 {
        assert_eq!(world.post("/commands", &laned).await.status, 202);
    }
    let full = world.post("/commands", &laned).await;
    assert_eq!(
        (full.status, &full.body["field"], full.headers["retry-after"].as_bytes()),
        (429, &json!("lane"), &b"10"[..])
    );
    check_response(&document, "post", "/commands", &full);
    let refused = world.post("/commands", &body(json!({"supersede": true}))).await;
    assert_eq!(refused.status, 422, "{refused:?}");
    check_response(&document, "post", "/commands", &refused);
    world.end().await;
}
