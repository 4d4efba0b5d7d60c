//! Bad input gets a clear error and is counted; good input next to it is still handled.

use serde_json::{Value, json};

use crate::world::{COMMANDS, EXECUTIONS, World};

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn the_api_names_the_bad_field_and_stores_nothing() {
    let world = World::start().await;
    let good = json!({"name": "reboot", "target": {"things": ["pump-7"]}});
    let with = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        body.to_string()
    };
    let without = |field: &str| {
        let mut body = good.clone();
        body.as_object_mut().expect("an object").remove(field);
        body.to_string()
    };
    let cases: Vec<(String, u16, &str)> = vec![
        (String::new(), 400, "body"),
        ("{".to_owned(), 400, "body"),
        ("[]".to_owned(), 400, "body"),
        (without("name"), 400, "name"),
        (without("target"), 400, "target"),
        (with("name", json!("re boot\u{7}")), 400, "name"),
        (with("name", json!(7)), 400, "name"),
        (with("nmae", json!("x")), 400, "nmae"),
        (with("ttl", json!(0)), 400, "ttl"),
        (with("ttl", json!(-1)), 400, "ttl"),
        (with("ttl", json!("soon")), 400, "ttl"),
        (with("ttl", json!(1e18)), 400, "ttl"),
        (with("timeout", json!(1)), 202, ""),
        (json!({"name": "a", "target": {"things": ["p"]}, "ttl": 60, "timeout": 30}).to_string(), 400, "ttl"),
        (with("delivery", json!("pigeon")), 400, "delivery"),
        (with("target", json!({"things": []})), 422, "target"),
        (with("target", json!({"things": ["no/slash"]})), 422, "target"),
        (with("target", json!({"groups": ["g"]})), 422, "target"),
        (with("waitSeconds", json!(26)), 400, "waitSeconds"),
        (with("retry", json!({"wait": 0})), 400, "retry.wait"),
        (with("retry", json!({"wait": 300})), 422, "retry.wait"),
        (with("retry", json!({"wait": 300})), 422, "NO_RESPONSE"),
        (with("retry", json!({"wait": 300})), 422, "the ttl"),
        (with("payload", json!("x".repeat(140_000))), 413, "payload"),
    ];
    for (body, status, field) in cases {
        let shown: String = body.chars().take(120).collect();
        let response = world.request(reqwest::Method::POST, "/commands", &[], body).await;
        assert_eq!(response.status, status, "{shown}: {response:?}");
        if response.status >= 400 {
            assert_eq!(response.headers["content-type"], "application/problem+json", "{shown}");
            assert_eq!(response.body["status"], response.status, "{shown}");
            assert!(response.body.to_string().contains(field), "{shown} does not name {field}: {}", response.body);
        }
    }
    assert_eq!(world.rows(EXECUTIONS).await.len(), 1, "only the good command is stored");
    assert_eq!(world.rows(COMMANDS).await.len(), 1);
    for (path, status) in [
        ("/commands/none", 404),
        ("/commands/none/executions", 404),
        ("/commands/none/executions/pump-7", 404),
        ("/commands/none/executions/no%2Fslash", 404),
        ("/things/no%20blank/executions", 400),
        ("/nowhere", 404),
    ] {
        let response = world.get(path).await;
        assert_eq!(response.status, status, "{path}: {response:?}");
    }
    assert_eq!(world.get("/things/unknown/executions").await.status, 200);
    world.end().await;
}

/// A row of the same thing with this execution id that cannot be decoded: its progress is no number.
fn undecodable(row: &Value, id: &str) -> Value {
    let mut bad = row.clone();
    bad["sk"] = json!({"S": format!("E#{id}")});
    bad["progress"] = json!({"S": "far"});
    bad.as_object_mut().expect("an object").retain(|name, _| !name.starts_with("due_"));
    bad
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn an_undecodable_row_hides_no_other_row() {
    let world = World::start().await;
    let one = world.command("pump-7", json!({})).await;
    world.advance(1).await;
    let other = world.command("pump-7", json!({})).await;
    let row = world.rows(EXECUTIONS).await.remove(0);
    // Keys before and after those of the good rows.
    let bad = ["aaaaaaaaaaaaaaaaaaaaaaaaaa", "77777777777777777777777777", "zzzzzzzzzzzzzzzzzzzzzzzzzz"];
    world.stack.dynamodb.import_items(EXECUTIONS, bad.map(|id| undecodable(&row, id)).to_vec()).expect("filled");

    let listed = world.get("/things/pump-7/executions").await;
    assert_eq!(listed.status, 200, "{listed:?}");
    assert_eq!(listed.body["executions"].as_array().map(Vec::len), Some(2));
    assert_eq!(world.counted("command-api", "RowsUnreadable"), 3);
    let logged = world.stack.lambda.logs("flaghoist-command-api").join("\n");
    assert!(bad.iter().all(|id| logged.contains(&format!("T#pump-7 E#{id}"))), "{logged}");

    // Both good executions are sent when the device connects.
    let mut pump = world.thing("pump-7").await;
    world.settle().await;
    // The device's connection and its subscription are two events, which may send one command each: in any order.
    let mut requests = [pump.next_json().await.1, pump.next_json().await.1];
    if requests[0]["executionId"] != world.execution(&one, "pump-7").await["executionId"] {
        requests.reverse();
    }
    let [first, second] = requests;
    assert!(world.counted("dispatch-commands", "RowsUnreadable") >= 3);
    for (command, request) in [(&one, &first), (&other, &second)] {
        let shown = world.execution(command, "pump-7").await;
        assert_eq!((&shown["deliveryStatus"], &shown["executionId"]), (&json!("DELIVERED"), &request["executionId"]));
    }

    // A report without an execution id may be about an undecodable row: it is ambiguous. One with an id is applied.
    pump.report("pump-7", json!({"executionId": first["executionId"], "status": "SUCCEEDED"})).await;
    assert!(pump.publish("cmd/pump-7/resp", "SUCCESS").await);
    world.settle().await;
    assert_eq!(world.counted("track-command", "ReportAmbiguous"), 1);
    assert_eq!(world.status(&one, "pump-7").await.0, "SUCCEEDED");
    assert_eq!(world.status(&other, "pump-7").await.0, "CREATED");
    assert!(world.stack.sqs.peek("flaghoist-failures").is_empty());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn undecodable_reports_are_counted_and_the_next_report_is_applied() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let command = world.command("pump-7", json!({})).await;
    let (_, request) = pump.next_json().await;
    let id = &request["executionId"];
    let bad_reports: Vec<Vec<u8>> = vec![
        vec![],
        vec![0, 255, 254, 0x80],
        b"{".to_vec(),
        b"hello".to_vec(),
        json!({"executionId": id, "status": "DONE"}).to_string().into_bytes(),
        json!({"executionId": id, "status": 7}).to_string().into_bytes(),
        json!({"executionId": 7, "status": "SUCCEEDED"}).to_string().into_bytes(),
        json!({"executionId": "aaaaaaaaaaaaaaaaaaaaaaaaaa", "status": "SUCCEEDED"}).to_string().into_bytes(),
        format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)).into_bytes(),
        vec![b'x'; 100_000],
    ];
    let sent = bad_reports.len();
    for payload in bad_reports {
        assert!(pump.publish("cmd/pump-7/resp", payload).await);
    }
    world.settle().await;
    assert_eq!(world.execution(&command, "pump-7").await["status"], "CREATED");
    let counted = world.counted("track-command", "ReportUndecodable") + world.counted("track-command", "ReportUnknown");
    assert_eq!(counted, sent);
    pump.report("pump-7", json!({"executionId": id, "status": "SUCCEEDED"})).await;
    world.settle().await;
    assert_eq!(world.execution(&command, "pump-7").await["status"], "SUCCEEDED");
    assert!(world.stack.sqs.peek("flaghoist-failures").is_empty(), "a bad report is not retried");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn the_broker_disconnects_on_a_message_beyond_the_limits_of_aws_and_serves_the_next_connection() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    assert!(!pump.publish("cmd/pump-7/resp", vec![b'x'; 140 * 1024]).await, "128 KB is the limit");
    let mut pump = world.thing("pump-7").await;
    assert!(!pump.publish("a/b/c/d/e/f/g/h/i", "nine levels").await, "7 slashes are the limit");
    let mut pump = world.thing("pump-7").await;
    let command = world.command("pump-7", json!({})).await;
    let (_, request) = pump.next_json().await;
    pump.report("pump-7", json!({"executionId": request["executionId"], "status": "SUCCEEDED"})).await;
    world.settle().await;
    assert_eq!(world.execution(&command, "pump-7").await["status"], "SUCCEEDED");
    world.end().await;
}

/// Any client may publish there. What the shadow service answers is no event of a thing, and no retry mends it.
#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn shadow_topics_with_names_that_no_thing_or_shadow_has_are_counted() {
    let world = World::start().await;
    let mut device = world.device("pump-7", &["$aws/things/+/shadow/update/rejected"]).await;
    for prefix in
        ["$aws/things/pump.7/shadow", "$aws/things/pump-7/shadow/name/a b", "$aws/things/pump-7/shadow/name/a$b"]
    {
        for update in ["{}", r#"{"state":{"desired":{"a":1},"reported":{"c":1}}}"#] {
            assert!(device.publish(&format!("{prefix}/update"), update).await);
            world.settle().await;
        }
    }
    let (topic, _) = device.next().await;
    assert_eq!(topic, "$aws/things/pump.7/shadow/update/rejected");
    world.advance(600).await;
    assert!(world.stack.sqs.peek("flaghoist-failures").is_empty());
    assert!(world.counted("track-command", "ShadowUndecodable") >= 3);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn bad_shadow_updates_are_rejected_with_a_code_and_a_message() {
    let world = World::start().await;
    let mut device = world.device("pump-7", &["$aws/things/pump-7/shadow/update/rejected"]).await;
    let deep = format!("{{\"state\":{{\"desired\":{}1{}}}}}", "{\"a\":".repeat(12), "}".repeat(12));
    let large = json!({"state": {"desired": {"a": "x".repeat(9000)}}}).to_string();
    for (update, code) in [
        (b"{".to_vec(), 400),
        (b"{}".to_vec(), 400),
        (b"{\"state\":7}".to_vec(), 400),
        (b"{\"state\":{\"wanted\":{}}}".to_vec(), 400),
        (b"{\"state\":{\"desired\":{}},\"version\":9}".to_vec(), 400),
        (deep.into_bytes(), 400),
        (large.into_bytes(), 413),
        (vec![0xff, 0xfe], 415),
    ] {
        let shown = String::from_utf8_lossy(&update[..update.len().min(60)]).into_owned();
        assert!(device.publish("$aws/things/pump-7/shadow/update", update).await);
        let (_, rejected) = device.next_json().await;
        let found = rejected["code"].as_i64().expect("a code");
        assert_eq!(found, code, "{shown}: {rejected}");
        assert!(rejected["message"].as_str().is_some_and(|m| !m.is_empty()));
    }
    world.end().await;
}
