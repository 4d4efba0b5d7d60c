//! Dialects of reports: JSON, text, and each response topic; and text reports without an execution id.

use serde_json::json;

use crate::world::{START, World};

/// Response of a device that treats requests as opaque text: fixed words, then the request as a Python bytes literal.
fn echo(request: &[u8]) -> String {
    let text = String::from_utf8_lossy(request).replace('\\', "\\\\").replace('\'', "\\'");
    format!("SUCCESS: command ran successfully from payload: b'{text}'")
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_report_in_any_dialect_is_applied() {
    let world = World::start().await;
    let rule = world.stack.template.outputs["ResponseRuleName"].clone();
    for (n, dialect) in
        ["echo", "long topic", "id in topic", "basic ingest", "without id", "transaction"].into_iter().enumerate()
    {
        let thing = format!("thing-{n}");
        let mut device = world.thing(&thing).await;
        let command = world.command(&thing, json!({"payload": {"text": "it's"}})).await;
        let (_, request) = device.next().await;
        let id = serde_json::from_slice::<serde_json::Value>(&request).expect("JSON")["executionId"]
            .as_str()
            .expect("an id")
            .to_owned();
        let json = json!({"executionId": id, "status": "SUCCEEDED"}).to_string();
        let (topic, body) = match dialect {
            "echo" => (format!("cmd/{thing}/resp"), echo(&request)),
            "long topic" => (format!("cmd/{thing}/response"), json),
            "id in topic" => (format!("cmd/{thing}/resp/{id}"), json!({"status": "SUCCEEDED"}).to_string()),
            "basic ingest" => (format!("$aws/rules/{rule}/cmd/{thing}/resp"), json),
            "without id" => (format!("cmd/{thing}/resp"), "SUCCESS".to_owned()),
            _ => (format!("cmd/{thing}/resp"), json!({"cmd": "reboot", "tid": id, "status": "SUCCESS"}).to_string()),
        };
        assert!(device.publish(&topic, body).await, "{dialect}");
        world.settle().await;
        assert_eq!(world.execution(&command, &thing).await["status"], "SUCCEEDED", "{dialect}");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_report_without_an_id_is_ambiguous_between_two_executions() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let one = world.command("pump-7", json!({})).await;
    let two = world.command("pump-7", json!({})).await;
    pump.next().await;
    pump.next().await;
    pump.publish("cmd/pump-7/resp", "SUCCESS").await;
    world.settle().await;
    for command in [one, two] {
        assert_eq!(world.execution(&command, "pump-7").await["status"], "CREATED");
    }
    assert_eq!(world.counted("track-command", "ReportAmbiguous"), 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn an_echo_of_another_applications_request_changes_nothing() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let command = world.command("pump-7", json!({})).await;
    let (_, request) = pump.next().await;
    // Another application has asked the same device for `light: on`, and the device answers both alike.
    for (foreign, counted) in [("light: on", 1), (r#"{"light": "on"}"#, 2), ("", 3)] {
        assert!(pump.publish("cmd/pump-7/resp", echo(foreign.as_bytes())).await);
        world.settle().await;
        let shown = world.execution(&command, "pump-7").await;
        assert_eq!((&shown["status"], &shown["deliveryStatus"]), (&json!("CREATED"), &json!("DELIVERED")), "{foreign}");
        assert_eq!(world.counted("track-command", "ReportUndecodable"), counted, "{foreign}");
    }
    assert!(pump.publish("cmd/pump-7/resp", echo(&request)).await);
    world.settle().await;
    assert_eq!(world.execution(&command, "pump-7").await["status"], "SUCCEEDED");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_result_is_shown_byte_for_byte() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let command = world.command("pump-7", json!({})).await;
    let (_, request) = pump.next_json().await;
    let id = request["executionId"].as_str().expect("an id");
    let result = r#"{"n":12345678901234567890123,"e":1E2,"f":1.10, "a":1,"a":2,"u":"\u00e9"}"#;
    let report = format!(r#"{{"executionId":"{id}","status":"SUCCEEDED","result":{result}}}"#);
    assert!(pump.publish("cmd/pump-7/resp", report).await);
    world.settle().await;
    for path in [
        format!("/commands/{command}/executions/pump-7"),
        format!("/commands/{command}/executions"),
        "/things/pump-7/executions".to_owned(),
    ] {
        let text = world.get(&path).await.text;
        assert!(text.contains(&format!(r#""result":{result},"#)), "{path}: {text}");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_repeated_report_without_an_id_is_not_applied_to_a_newer_command() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let one = world.command("pump-7", json!({})).await;
    pump.next().await;
    let payload = data_encoding::BASE64.encode(b"SUCCESS");
    let event = json!({"kind": "report", "payload": payload, "topic": "cmd/pump-7/resp", "receivedAt": START * 1000})
        .to_string();
    world.invoke("track-command", &event).await.expect("handled");
    world.advance(5).await;
    let two = world.command("pump-7", json!({})).await;
    pump.next().await;
    world.invoke("track-command", &event).await.expect("handled");
    assert_eq!(world.execution(&one, "pump-7").await["status"], "SUCCEEDED");
    assert_eq!(world.execution(&two, "pump-7").await["status"], "CREATED");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_report_without_an_id_is_ambiguous_when_it_may_be_a_late_one() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let expired = world.command("pump-7", json!({"ttl": 30, "timeout": 3600})).await;
    pump.next().await;
    world.advance(120).await;
    let newer = world.command("pump-7", json!({})).await;
    pump.next().await;
    pump.publish("cmd/pump-7/resp", "SUCCESS").await;
    world.settle().await;
    assert_eq!(world.execution(&expired, "pump-7").await["status"], "TIMED_OUT");
    assert_eq!(world.execution(&newer, "pump-7").await["status"], "CREATED");
    assert_eq!(world.counted("track-command", "ReportAmbiguous"), 1);
    world.end().await;
}
