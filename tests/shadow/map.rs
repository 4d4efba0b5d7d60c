//! Dialect `map`: requests in `desired.c.<execution id>` of the named shadow `cmd`, reports by topic or in the shadow.

use local::faults::{Call, Fault};
use serde_json::{Value, json};

use crate::world::{Device, EXECUTIONS, START, World};

const CMD: Option<&str> = Some("cmd");
const DELTA: &str = "$aws/things/pump-7/shadow/name/cmd/update/delta";
const UPDATE: &str = "$aws/things/pump-7/shadow/name/cmd/update";

/// Connects the device of a thing that takes commands in its shadow.
async fn connect_pump(world: &World) -> Device {
    world.update_shadow("pump-7", CMD, &json!({"reported": {"dialect": "map"}}));
    world.device("pump-7", &[DELTA]).await
}

/// Creates a command by shadow. Returns its id.
async fn create(world: &World, more: Value) -> String {
    let mut body = json!({"delivery": "shadow"});
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    world.command("pump-7", body).await
}

/// Creates a command whose device has it, and whose ttl passes without a report. The device, and the ids of command and
/// execution.
async fn create_and_expire(world: &World) -> (Device, String, String) {
    let mut pump = connect_pump(world).await;
    let command = create(world, json!({"ttl": 300})).await;
    let (id, _) = next_request(&mut pump).await;
    world.advance(300).await;
    assert!(is_cleaned_up(world, &id).await);
    (pump, command, id)
}

/// Execution id and entry of the next request. Deltas without a request, as the clean-up causes them, are skipped.
async fn next_request(device: &mut Device) -> (String, Value) {
    loop {
        let (_, delta) = device.next_json().await;
        let entries = delta["state"]["c"].as_object().cloned().unwrap_or_default();
        if let Some(entry) = entries.into_iter().next() {
            return entry;
        }
    }
}

/// Reports this entry for an execution in the shadow.
async fn report(device: &mut Device, id: &str, entry: Value) {
    let state = json!({"state": {"reported": {"c": {id: entry}}}});
    assert!(device.publish(UPDATE, state.to_string()).await);
}

/// Whether the shadow holds nothing of an execution, and its row is not in the due index.
async fn is_cleaned_up(world: &World, id: &str) -> bool {
    world.settle().await;
    let rows = world.rows(EXECUTIONS).await;
    let row = rows.iter().find(|row| row.to_string().contains(id)).expect("a row");
    row.get("due_at").is_none() && !world.shadow("pump-7", CMD)["state"].to_string().contains(id)
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_command_is_reported_by_topic_and_removed() {
    let world = World::start().await;
    let mut pump = connect_pump(&world).await;
    let command = create(&world, json!({"payload": {"delay": 5}, "ttl": 300, "heartbeat": 30})).await;
    let (id, request) = next_request(&mut pump).await;
    // expiresAt is 5 s before the ttl ends, so that an entry that has not started is removed in time.
    let entry = json!({"attempt": 1, "command": "reboot", "payload": {"delay": 5}, "ttl": 295, "expiresAt": START + 295, "issuedAt": START, "sequence": START * 1000, "heartbeat": 30});
    assert_eq!(request, entry);
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!((&shown["status"], &shown["deliveryStatus"]), (&json!("CREATED"), &json!("SENT")));

    pump.report("pump-7", json!({"executionId": id, "status": "IN_PROGRESS"})).await;
    world.settle().await;
    assert_eq!(world.execution(&command, "pump-7").await["status"], "IN_PROGRESS");
    assert_eq!(
        world.shadow("pump-7", CMD)["state"]["desired"]["c"][&id],
        entry,
        "the entry stays while the execution runs"
    );

    pump.report("pump-7", json!({"executionId": id, "status": "SUCCEEDED", "result": {"uptime": 1}})).await;
    assert!(is_cleaned_up(&world, &id).await);
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!((&shown["status"], &shown["result"]), (&json!("SUCCEEDED"), &json!({"uptime": 1})));
    assert_eq!(world.shadow("pump-7", CMD)["state"]["reported"]["dialect"], "map", "attributes of the device stay");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_command_is_reported_in_the_shadow() {
    let world = World::start().await;
    let mut pump = connect_pump(&world).await;
    let command = create(&world, json!({})).await;
    let (id, _) = next_request(&mut pump).await;
    report(&mut pump, &id, json!({"status": "IN_PROGRESS", "attempt": 1})).await;
    world.settle().await;
    assert_eq!(world.execution(&command, "pump-7").await["status"], "IN_PROGRESS");

    let failed = json!({"status": "FAILED", "statusReason": {"reasonCode": "JAMMED", "reasonDescription": "stuck"}, "result": [1]});
    report(&mut pump, &id, failed).await;
    assert!(is_cleaned_up(&world, &id).await);
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!((&shown["status"], &shown["reason"]), (&json!("FAILED"), &json!("JAMMED")));
    assert_eq!((&shown["result"], &shown["late"]), (&json!([1]), &json!(false)));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn an_expired_command_is_removed_before_its_ttl_has_passed() {
    let world = World::start().await;
    let mut pump = connect_pump(&world).await;
    // The last tick within the ttl is well before its end.
    world.advance(55).await;
    let command = create(&world, json!({"ttl": 300})).await;
    let (id, _) = next_request(&mut pump).await;
    pump.leave().await;
    world.advance(300).await;
    assert!(is_cleaned_up(&world, &id).await);
    assert_eq!(world.status(&command, "pump-7").await, ("TIMED_OUT".to_owned(), "NO_RESPONSE".to_owned()));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_canceled_command_is_removed() {
    let world = World::start().await;
    let mut pump = connect_pump(&world).await;
    let waiting = create(&world, json!({})).await;
    let (id, _) = next_request(&mut pump).await;
    assert_eq!(world.cancel(&waiting, false).await.status, 200);
    assert!(!world.shadow("pump-7", CMD)["state"].to_string().contains(&id));
    // A slow sender may write the entry after the cancel, so the shadow is cleaned up again.
    world.advance(60).await;
    assert!(is_cleaned_up(&world, &id).await);
    assert_eq!(world.status(&waiting, "pump-7").await.0, "CANCELED");

    let running = create(&world, json!({})).await;
    let (id, _) = next_request(&mut pump).await;
    report(&mut pump, &id, json!({"status": "RUNNING"})).await;
    world.settle().await;
    assert_eq!(world.cancel(&running, false).await.status, 409);
    assert!(!is_cleaned_up(&world, &id).await);
    assert_eq!(world.cancel(&running, true).await.status, 200);
    assert!(!world.shadow("pump-7", CMD)["state"].to_string().contains(&id));
    world.advance(60).await;
    assert!(is_cleaned_up(&world, &id).await);
    assert_eq!(world.status(&running, "pump-7").await.0, "CANCELED");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn several_commands_are_in_the_shadow_at_once_and_each_is_removed_alone() {
    let world = World::start().await;
    let mut pump = connect_pump(&world).await;
    let mut commands = Vec::new();
    for n in 0..4 {
        commands.push(create(&world, json!({"payload": n})).await);
    }
    world.settle().await;
    let entries = world.shadow("pump-7", CMD)["state"]["desired"]["c"].as_object().cloned().expect("entries");
    assert_eq!(entries.len(), 4);
    // The last command is reported first, two in one update, and one never.
    let id = |n: i32| entries.iter().find(|(_, entry)| entry["payload"] == n).expect("an entry").0.clone();
    report(&mut pump, &id(3), json!({"status": "SUCCEEDED"})).await;
    assert!(is_cleaned_up(&world, &id(3)).await);
    let both = json!({"state": {"reported": {"c": {id(0): {"status": "SUCCEEDED"}, id(1): {"status": "REJECTED"}}}}});
    assert!(pump.publish(UPDATE, both.to_string()).await);
    assert!(is_cleaned_up(&world, &id(0)).await && is_cleaned_up(&world, &id(1)).await);
    let left = world.shadow("pump-7", CMD)["state"]["desired"]["c"].as_object().cloned().expect("entries");
    assert_eq!(left.keys().collect::<Vec<_>>(), [&id(2)]);
    for (command, status) in commands.iter().zip(["SUCCEEDED", "REJECTED", "CREATED", "SUCCEEDED"]) {
        assert_eq!(world.status(command, "pump-7").await.0, status);
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_late_report_in_the_shadow_is_applied_and_removed() {
    let world = World::start().await;
    let (mut pump, command, id) = create_and_expire(&world).await;
    report(&mut pump, &id, json!({"status": "SUCCEEDED", "result": "at last"})).await;
    assert!(is_cleaned_up(&world, &id).await);
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!(
        (&shown["status"], &shown["late"], &shown["result"]),
        (&json!("SUCCEEDED"), &json!(true), &json!("at last"))
    );

    // Repeated and contradicting reports are stale, and are removed too.
    for status in ["SUCCEEDED", "FAILED", "IN_PROGRESS"] {
        report(&mut pump, &id, json!({"status": status})).await;
        assert!(is_cleaned_up(&world, &id).await, "{status}");
        assert_eq!(world.status(&command, "pump-7").await.0, "SUCCEEDED");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_late_report_counts_at_once_where_its_shadow_can_not_be_cleaned() {
    let world = World::start().await;
    let (mut pump, command, id) = create_and_expire(&world).await;
    // The service of shadows refuses the functions; devices reach it over MQTT.
    let refuse = |call: &Call| call.operation.ends_with("ThingShadow").then_some(Fault::Throttle);
    world.stack.faults.plan(refuse);
    report(&mut pump, &id, json!({"status": "SUCCEEDED"})).await;
    world.settle().await;
    assert_eq!(world.status(&command, "pump-7").await.0, "SUCCEEDED");
    // The event is retried for the entry that is left.
    world.stack.faults.clear();
    world.advance(180).await;
    assert!(is_cleaned_up(&world, &id).await);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_second_attempt_replaces_the_entry_of_the_first() {
    let world = World::start().await;
    let mut pump = connect_pump(&world).await;
    let retry = json!({"attempts": 2, "on": ["NO_RESPONSE"], "wait": 30, "backoff": {"base": 1, "cap": 1}});
    let command = create(&world, json!({"ttl": 600, "retry": retry})).await;
    let (id, request) = next_request(&mut pump).await;
    assert_eq!(request["attempt"], 1);
    world.advance(120).await;
    let (second_id, request) = next_request(&mut pump).await;
    assert_eq!((&second_id, &request["attempt"]), (&id, &json!(2)));
    report(&mut pump, &id, json!({"status": "SUCCEEDED", "attempt": 2})).await;
    assert!(is_cleaned_up(&world, &id).await);
    assert_eq!(world.status(&command, "pump-7").await.0, "SUCCEEDED");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn undecodable_entries_next_to_a_good_report_change_nothing() {
    let world = World::start().await;
    let mut pump = connect_pump(&world).await;
    let command = create(&world, json!({})).await;
    let (id, _) = next_request(&mut pump).await;
    let entries = json!({
        "no id": {"status": "SUCCEEDED"},
        "aaaaaaaaaaaaaaaaaaaaaaaaaa": {"status": "SUCCEEDED"},
        "bbbbbbbbbbbbbbbbbbbbbbbbbb": "yes",
        "cccccccccccccccccccccccccc": {"status": 7},
        &id: {"status": "SUCCEEDED"},
    });
    assert!(pump.publish(UPDATE, json!({"state": {"reported": {"c": entries}}}).to_string()).await);
    assert!(is_cleaned_up(&world, &id).await);
    assert_eq!(world.status(&command, "pump-7").await.0, "SUCCEEDED");
    assert!(world.counted("track-command", "ReportUndecodable") >= 3);
    assert!(world.counted("track-command", "ReportUnknown") >= 1);
    assert!(world.stack.sqs.peek("flaghoist-failures").is_empty());
    world.end().await;
}
