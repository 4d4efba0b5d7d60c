//! One command, from the HTTP request to the device and back.

use serde_json::{Value, json};

use crate::world::{EXECUTIONS, START, World};

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_direct_command_is_delivered_started_and_completed() {
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
    assert_eq!((&request["issuedAt"], &request["sequence"]), (&json!(START), &json!(START * 1000)));
    assert_eq!(request["heartbeat"], 30);
    assert_eq!(request["responseTopic"], "cmd/pump-7/resp");
    let id = &request["executionId"];

    let shown = world.execution(&command, "pump-7").await;
    assert_eq!((&shown["status"], &shown["deliveryStatus"]), (&json!("CREATED"), &json!("DELIVERED")));
    assert_eq!(&shown["executionId"], id);

    pump.report("pump-7", json!({"executionId": id, "status": "IN_PROGRESS"})).await;
    world.settle().await;
    assert_eq!(world.execution(&command, "pump-7").await["status"], "IN_PROGRESS");

    pump.report("pump-7", json!({"executionId": id, "status": "SUCCEEDED", "result": {"uptime": 1}})).await;
    world.settle().await;
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

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_command_by_topic_reaches_the_subscribed_device_and_its_reports_are_applied() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let command = world.command("pump-7", json!({"delivery": "topic"})).await;
    let (_, request) = pump.next_json().await;
    assert_eq!(world.execution(&command, "pump-7").await["deliveryStatus"], "SENT");
    pump.report("pump-7", json!({"executionId": request["executionId"], "status": "FAILED", "statusReason": {"reasonCode": "NO_POWER", "reasonDescription": "off"}})).await;
    world.settle().await;
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!((&shown["status"], &shown["reason"]), (&json!("FAILED"), &json!("NO_POWER")));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_direct_command_to_an_offline_device_is_queued() {
    let world = World::start().await;
    let command = world.command("pump-7", json!({"delivery": "direct"})).await;
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!((&shown["status"], &shown["deliveryStatus"]), (&json!("CREATED"), &json!("QUEUED")));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn wait_seconds_returns_the_outcome() {
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

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn an_idempotency_key_creates_one_command_and_another_body_is_a_conflict() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let body = |name: &str| json!({"name": name, "target": {"things": ["pump-7"]}}).to_string();
    let post =
        |body: String| world.request(reqwest::Method::POST, "/commands", &[("idempotency-key", "order-66")], body);
    let first = post(body("reboot")).await;
    let repeated = post(body("reboot")).await;
    assert_eq!((first.status, &first.body["commandId"]), (202, &repeated.body["commandId"]), "{repeated:?}");
    assert_eq!(post(body("shutdown")).await.status, 409);
    pump.next().await;
    world.settle().await;
    assert!(pump.has_nothing(), "the repeated POST sent a second request");
    assert_eq!(world.rows(EXECUTIONS).await.len(), 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_repeated_post_sends_again_only_after_the_first_one_must_have_finished() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let body = json!({"name": "reboot", "target": {"things": ["pump-7"]}, "delivery": "topic"}).to_string();
    let key = [("idempotency-key", "order-66")];
    let post = || world.request(reqwest::Method::POST, "/commands", &key, body.clone());
    let first = post().await;
    let (_, request) = pump.next_json().await;
    world.advance(9).await;
    assert_eq!(post().await.body["commandId"], first.body["commandId"]);
    world.settle().await;
    assert!(pump.has_nothing(), "the first POST may still be sending");
    let doubted = world.rows(EXECUTIONS).await.remove(0);
    assert_eq!(doubted["due_at"]["N"], (START + 10).to_string(), "the row is due when the first POST has finished");
    world.advance(1).await;
    let tick = json!({"kind": "tick", "scheduledTime": world.now()}).to_string();
    world.invoke("reconcile-commands", &tick).await.expect("a tick");
    let (_, repeated) = pump.next_json().await;
    assert_eq!(repeated["executionId"], request["executionId"]);
    let sent = &world.execution(first.body["commandId"].as_str().expect("an id"), "pump-7").await["deliveryStatus"];
    assert_eq!(sent, "SENT");
    pump.report("pump-7", json!({"executionId": request["executionId"], "status": "IN_PROGRESS"})).await;
    world.settle().await;
    world.advance(1).await;
    assert_eq!(post().await.status, 202);
    world.settle().await;
    assert!(pump.has_nothing(), "the device has reported, so the request is not sent again");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_command_whose_execution_is_not_written_yet_is_shown_as_pending() {
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
        .expect("a response");
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

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn executions_of_a_thing_are_listed_newest_first() {
    let world = World::start().await;
    let mut commands = Vec::new();
    for _ in 0..6 {
        commands.insert(0, world.command("pump-7", json!({})).await);
        world.advance(1).await;
    }
    // Two were created in the same millisecond: they come in the order of their ids.
    commands.insert(0, world.command("pump-7", json!({})).await);
    commands.insert(0, world.command("pump-7", json!({})).await);
    let all = world.get("/things/pump-7/executions").await.body;
    let id_of = |execution: &Value| execution["executionId"].as_str().expect("an id").to_owned();
    let ids = |page: &Value| page["executions"].as_array().expect("a list").iter().map(id_of).collect::<Vec<_>>();
    let listed = all["executions"].as_array().expect("a list");
    assert!(id_of(&listed[0]) < id_of(&listed[1]));
    if listed[0]["commandId"] != commands[0].as_str() {
        commands.swap(0, 1);
    }
    assert_eq!(listed.iter().map(|execution| execution["commandId"].clone()).collect::<Vec<_>>(), commands);
    assert_eq!(all["nextToken"], Value::Null);
    for limit in 1..=8 {
        let (mut found, mut sizes, mut token) = (Vec::new(), Vec::new(), String::new());
        loop {
            let page = world.get(&format!("/things/pump-7/executions?limit={limit}{token}")).await.body;
            sizes.push(ids(&page).len());
            found.extend(ids(&page));
            match page["nextToken"].as_str() {
                Some(next) => token = format!("&nextToken={next}"),
                None => break,
            }
        }
        assert_eq!((found, sizes.len()), (ids(&all), 8_usize.div_ceil(limit)), "{limit} a page: {sizes:?}");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_device_neither_receives_nor_completes_commands_of_another_thing() {
    let world = World::start().await;
    let (mut one, mut two) = (world.thing("one").await, world.thing("two").await);
    let command = world.command("one", json!({})).await;
    let (_, request) = one.next_json().await;
    // The report arrives on the topic of thing two, so it cannot be about an execution of thing one.
    two.report("two", json!({"executionId": request["executionId"], "status": "SUCCEEDED"})).await;
    world.settle().await;
    assert!(two.has_nothing());
    assert_eq!(world.execution(&command, "one").await["status"], "CREATED");
    assert_eq!(world.counted("track-command", "ReportUnknown"), 1);
    let mut rows = world.rows(EXECUTIONS).await;
    rows.retain(|row| row["pk"]["S"] == "T#two" && row["sk"]["S"] != "REPORTS");
    assert!(rows.is_empty(), "{rows:?}");
    world.end().await;
}
