//! The responses to a fleet command, its dry run, pause, resume and cancel are as documented.

use reqwest::Method;
use serde_json::json;

use super::{conformance::check_response, document};
use crate::world::World;

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn responses_to_a_fleet_command_and_its_control_actions_are_documented() {
    let document = document();
    let examples = &document["paths"]["/commands"]["post"]["requestBody"]["content"]["application/json"]["examples"];
    let world = World::start().await;
    for (group, thing) in [("pumps", "pump-1"), ("pumps", "pump-2"), ("sirens", "siren-1")] {
        world.stack.registry.add_things(group, &[thing]).expect("a group");
    }
    let one = "/commands/{commandId}";
    for example in ["fleet", "broadcast"] {
        let mut body = examples[example]["value"].clone();
        body["dryRun"] = json!(true);
        let dry_run = world.post("/commands", &body).await;
        assert_eq!(dry_run.status, 200, "{dry_run:?}");
        check_response(&document, "post", "/commands", &dry_run);
        body["dryRun"] = json!(false);
        let created = world.post("/commands", &body).await;
        assert_eq!(created.status, 202, "{created:?}");
        check_response(&document, "post", "/commands", &created);
        let id = created.body["commandId"].as_str().expect("an id").to_owned();
        world.settle().await;
        let shown = world.get(&format!("/commands/{id}")).await;
        check_response(&document, "get", one, &shown);
        assert_eq!(shown.body["target"]["groups"], body["target"]["groups"]);
        let thing = if example == "fleet" { "pump-1" } else { "siren-1" };
        let found = world.get(&format!("/commands/{id}/executions/{thing}?explain")).await;
        assert_eq!((found.status, found.body["status"] == "WAITING"), (200, example == "fleet"), "{found:?}");
        check_response(&document, "get", "/commands/{commandId}/executions/{thing}", &found);
        for (action, status) in [("resume", 409), ("pause", 200), ("resume", 200), ("cancel", 200), ("pause", 409)] {
            if action == "cancel" {
                let body = json!({"rollout": {"maximumPerMinute": 600}}).to_string();
                let changed = world.request(Method::PATCH, &format!("/commands/{id}"), &[], body).await;
                assert_eq!(changed.status, if example == "fleet" { 200 } else { 409 }, "{changed:?}");
                check_response(&document, "patch", one, &changed);
            }
            let response = world.request(Method::POST, &format!("/commands/{id}/{action}"), &[], "").await;
            assert_eq!(response.status, status, "{action}: {response:?}");
            check_response(&document, "post", &format!("{one}/{action}"), &response);
        }
    }

    let mut siren = world.thing("siren-1").await;
    let body = json!({"name": "siren.on", "target": {"groups": ["sirens"]}});
    let created = world.post("/commands", &body).await;
    let id = created.body["commandId"].as_str().expect("an id").to_owned();
    let (_, request) = siren.next_json().await;
    let reason = json!({"reasonCode": "NO_POWER"});
    siren
        .report("siren-1", json!({"executionId": request["executionId"], "status": "FAILED", "statusReason": reason}))
        .await;
    world.advance(5).await;
    let shown = world.get(&format!("/commands/{id}")).await;
    assert_eq!(shown.body["counts"]["byReason"], json!({"NO_POWER": 1}), "{shown:?}");
    check_response(&document, "get", one, &shown);
    let listed = world.get(&format!("/commands/{id}/executions?status=FAILED&limit=1")).await;
    assert_eq!(listed.body["executions"].as_array().map(Vec::len), Some(1), "{listed:?}");
    check_response(&document, "get", "/commands/{commandId}/executions", &listed);
    let missing = world.post("/commands", &json!({"name": "a", "target": {"groups": ["unknown"]}})).await;
    check_response(&document, "post", "/commands", &missing);
    world.end().await;
}
