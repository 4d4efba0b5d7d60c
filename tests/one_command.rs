//! One command, from the HTTP request to the device and back.

use serde_json::{Value, json};

use crate::world::{EXECUTIONS, START, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_direct_command_is_delivered_run_and_shown() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;

    let body = json!({"name": "reboot", "payload": {"delay": 5}, "target": {"things": ["pump-7"]}, "delivery": "direct", "ttl": 300, "heartbeat": 30});
    let created = world.post("/commands", &body).await;
    assert_eq!(created.status, 202, "{created:?}");
    let command = created.body["commandId"].as_str().expect("an id").to_owned();
    assert_eq!(created.headers["location"], format!("/commands/{command}").as_str());
    assert_eq!(created.body["counts"]["total"], 1);

    let (topic, request) = pump.next_json().await;
    assert_eq!(topic, "cmd/pump-7/req");
    assert_eq!(request["command"], "reboot");
    assert_eq!(request["payload"], json!({"delay": 5}));
    assert_eq!(request["attempt"], 1);
    assert_eq!(request["expiresAt"], START + 300);
    assert_eq!(request["heartbeat"], 30);
    assert_eq!(request["responseTopic"], "cmd/pump-7/resp");
    let id = &request["executionId"];

    let shown = world.execution(&command, "pump-7").await;
    assert_eq!((&shown["status"], &shown["deliveryStatus"]), (&json!("CREATED"), &json!("DELIVERED")));
    assert_eq!(&shown["executionId"], id);

    pump.report("pump-7", json!({"executionId": id, "status": "IN_PROGRESS"})).await;
    world.stack.settle().await;
    assert_eq!(world.execution(&command, "pump-7").await["status"], "IN_PROGRESS");

    pump.report("pump-7", json!({"executionId": id, "status": "SUCCEEDED", "result": {"uptime": 1}})).await;
    world.stack.settle().await;
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!(shown["status"], "SUCCEEDED");
    assert_eq!(shown["result"], json!({"uptime": 1}));
    assert_eq!(shown["late"], false);

    let command = world.get(&format!("/commands/{command}")).await.body;
    assert_eq!(command["counts"]["SUCCEEDED"], 1);
    assert_eq!(command["state"], "COMPLETED");
    let listed = world.get("/things/pump-7/executions").await.body;
    assert_eq!(listed["executions"].as_array().map(Vec::len), Some(1));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_by_topic_reaches_a_subscriber_and_is_tracked() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let command = world.command("pump-7", json!({"delivery": "topic"})).await;
    let (_, request) = pump.next_json().await;
    assert_eq!(world.execution(&command, "pump-7").await["deliveryStatus"], "SENT");
    pump.report("pump-7", json!({"executionId": request["executionId"], "status": "FAILED", "statusReason": {"reasonCode": "NO_POWER", "reasonDescription": "off"}})).await;
    world.stack.settle().await;
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!((&shown["status"], &shown["reason"]), (&json!("FAILED"), &json!("NO_POWER")));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_direct_command_to_a_device_that_is_away_is_queued_and_says_so() {
    let world = World::start().await;
    let command = world.command("pump-7", json!({"delivery": "direct"})).await;
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!((&shown["status"], &shown["deliveryStatus"]), (&json!("CREATED"), &json!("QUEUED")));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_answers_with_the_outcome() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let body = json!({"name": "reboot", "target": {"things": ["pump-7"]}, "waitSeconds": 20});
    let (created, ()) = tokio::join!(world.post("/commands", &body), async {
        let (_, request) = pump.next_json().await;
        pump.report("pump-7", json!({"executionId": request["executionId"], "status": "SUCCEEDED"})).await;
    });
    assert!(created.status == 200 || created.status == 202, "{created:?}");
    assert_eq!(created.body["counts"]["SUCCEEDED"], 1, "{created:?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_is_the_same_command_and_another_body_is_a_conflict() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let body = |name: &str| json!({"name": name, "target": {"things": ["pump-7"]}}).to_string();
    let post =
        |body: String| world.request(reqwest::Method::POST, "/commands", &[("idempotency-key", "order-66")], body);
    let first = post(body("reboot")).await;
    let again = post(body("reboot")).await;
    assert_eq!((first.status, &first.body["commandId"]), (202, &again.body["commandId"]), "{again:?}");
    assert_eq!(post(body("shutdown")).await.status, 409);
    pump.next().await;
    world.stack.settle().await;
    assert!(pump.has_nothing(), "the second request was delivered again");
    assert_eq!(world.rows(EXECUTIONS).await.len(), 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_is_published_again_only_when_the_first_cannot_be_under_way_any_more() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let body = json!({"name": "reboot", "target": {"things": ["pump-7"]}, "delivery": "topic"}).to_string();
    let key = [("idempotency-key", "order-66")];
    let post = || world.request(reqwest::Method::POST, "/commands", &key, body.clone());
    let first = post().await;
    let (_, request) = pump.next_json().await;
    world.advance(9).await;
    assert_eq!(post().await.body["commandId"], first.body["commandId"]);
    world.stack.settle().await;
    assert!(pump.has_nothing(), "the first request may still be under way");
    world.advance(1).await;
    assert_eq!(post().await.status, 202);
    let (_, again) = pump.next_json().await;
    assert_eq!(again["executionId"], request["executionId"]);
    let claimed = world.rows(EXECUTIONS).await;
    let soon = (world.stack.clock.now_ms() / 1000 + 10).to_string();
    assert_eq!(claimed[0]["due_at"]["N"], soon, "someone looks whether it went out");
    let sent = &world.execution(first.body["commandId"].as_str().expect("an id"), "pump-7").await["deliveryStatus"];
    assert_eq!(sent, "SENT");
    pump.report("pump-7", json!({"executionId": request["executionId"], "status": "IN_PROGRESS"})).await;
    world.stack.settle().await;
    world.advance(1).await;
    assert_eq!(post().await.status, 202);
    world.stack.settle().await;
    assert!(pump.has_nothing(), "the device was heard");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_whose_creation_was_cut_short_is_shown_as_pending_wherever_it_is_asked_for() {
    let world = World::start().await;
    let command = world.command("pump-7", json!({"delivery": "topic", "ttl": 60})).await;
    let row = world.rows(EXECUTIONS).await.remove(0);
    let response = reqwest::Client::new()
        .post(format!("http://{}/", world.stack.addresses.endpoint))
        .header("x-amz-target", "DynamoDB_20120810.DeleteItem")
        .header("content-type", "application/x-amz-json-1.0")
        .body(json!({"TableName": EXECUTIONS, "Key": {"pk": row["pk"], "sk": row["sk"]}}).to_string())
        .send()
        .await
        .expect("an answer");
    assert_eq!(response.status(), 200);
    assert!(world.rows(EXECUTIONS).await.is_empty());
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!((&shown["status"], &shown["deliveryStatus"]), (&json!("CREATED"), &json!("PENDING")));
    let listed = world.get(&format!("/commands/{command}/executions")).await.body;
    assert_eq!(listed["executions"], json!([shown]));
    assert_eq!(world.get(&format!("/commands/{command}")).await.body["counts"]["CREATED"], 1);
    assert_eq!(world.get(&format!("/commands/{command}/executions/pump-8")).await.status, 404);
    world.advance(60).await;
    assert_eq!(world.execution(&command, "pump-7").await["reason"], "EXPIRED");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_execution_of_a_thing_is_listed_first() {
    let world = World::start().await;
    let mut commands = Vec::new();
    for _ in 0..6 {
        commands.insert(0, world.command("pump-7", json!({})).await);
        world.advance(1).await;
    }
    let listed = world.get("/things/pump-7/executions").await.body;
    let listed: Vec<_> =
        listed["executions"].as_array().expect("a list").iter().map(|e| e["commandId"].clone()).collect();
    assert_eq!(listed, commands);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_do_not_see_each_others_commands() {
    let world = World::start().await;
    let (mut one, mut two) = (world.thing("one").await, world.thing("two").await);
    let command = world.command("one", json!({})).await;
    let (_, request) = one.next_json().await;
    // Another thing claims to have done it: on its own topic, so it speaks for itself only.
    two.report("two", json!({"executionId": request["executionId"], "status": "SUCCEEDED"})).await;
    world.stack.settle().await;
    assert!(two.has_nothing());
    assert_eq!(world.execution(&command, "one").await["status"], "CREATED");
    assert_eq!(world.counted("track-command", "ReportUnknown"), 1);
    let none: Vec<Value> = world.rows(EXECUTIONS).await.into_iter().filter(|row| row["pk"]["S"] == "T#two").collect();
    assert!(none.is_empty(), "{none:?}");
    world.end().await;
}
