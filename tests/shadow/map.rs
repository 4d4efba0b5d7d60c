//! Our own dialect: `desired.c.<execution id>` in the named shadow `cmd`, answered by topic or in the shadow.

use serde_json::{Value, json};

use crate::world::{Device, EXECUTIONS, START, World};

const CMD: Option<&str> = Some("cmd");
const DELTA: &str = "$aws/things/pump-7/shadow/name/cmd/update/delta";
const UPDATE: &str = "$aws/things/pump-7/shadow/name/cmd/update";

/// A thing that takes commands in its shadow, and its device.
async fn pump(world: &World) -> Device {
    world.update_shadow("pump-7", CMD, &json!({"reported": {"dialect": "map"}}));
    world.device("pump-7", &[DELTA]).await
}

async fn sent(world: &World, more: Value) -> String {
    let mut body = json!({"delivery": "shadow"});
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    world.command("pump-7", body).await
}

/// The next request in a delta, and its execution id. A delta may come for what was withdrawn, too.
async fn next(device: &mut Device) -> (String, Value) {
    loop {
        let (_, delta) = device.next_json().await;
        let entries = delta["state"]["c"].as_object().cloned().unwrap_or_default();
        if let Some(entry) = entries.into_iter().next() {
            return entry;
        }
    }
}

async fn report(device: &mut Device, id: &str, entry: Value) {
    let state = json!({"state": {"reported": {"c": {id: entry}}}});
    assert!(device.publish(UPDATE, state.to_string()).await);
}

/// Whether nothing of an execution is left in the shadow, and nothing is owed to it.
async fn is_withdrawn(world: &World, id: &str) -> bool {
    world.stack.settle().await;
    let rows = world.rows(EXECUTIONS).await;
    let row = rows.iter().find(|row| row.to_string().contains(id)).expect("a row");
    let owed = row.get("due_at").is_some();
    !owed && !world.shadow("pump-7", CMD)["state"].to_string().contains(id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_delivered_answered_by_topic_and_withdrawn() {
    let world = World::start().await;
    let mut pump = pump(&world).await;
    let command = sent(&world, json!({"payload": {"delay": 5}, "ttl": 300, "heartbeat": 30})).await;
    let (id, request) = next(&mut pump).await;
    // A shadow outlives its commands, so what is in one has to begin a tick and a little earlier.
    let entry = json!({"attempt": 1, "command": "reboot", "payload": {"delay": 5}, "ttl": 300, "expiresAt": START + 235, "heartbeat": 30});
    assert_eq!(request, entry);
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!((&shown["status"], &shown["deliveryStatus"]), (&json!("CREATED"), &json!("SENT")));

    pump.report("pump-7", json!({"executionId": id, "status": "IN_PROGRESS"})).await;
    world.stack.settle().await;
    assert_eq!(world.execution(&command, "pump-7").await["status"], "IN_PROGRESS");
    assert_eq!(world.shadow("pump-7", CMD)["state"]["desired"]["c"][&id], entry, "it stays for as long as it runs");

    pump.report("pump-7", json!({"executionId": id, "status": "SUCCEEDED", "result": {"uptime": 1}})).await;
    assert!(is_withdrawn(&world, &id).await);
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!((&shown["status"], &shown["result"]), (&json!("SUCCEEDED"), &json!({"uptime": 1})));
    assert_eq!(world.shadow("pump-7", CMD)["state"]["reported"]["dialect"], "map", "what is the device's own stays");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_answered_in_the_shadow() {
    let world = World::start().await;
    let mut pump = pump(&world).await;
    let command = sent(&world, json!({})).await;
    let (id, _) = next(&mut pump).await;
    report(&mut pump, &id, json!({"status": "IN_PROGRESS", "attempt": 1})).await;
    world.stack.settle().await;
    assert_eq!(world.execution(&command, "pump-7").await["status"], "IN_PROGRESS");

    let failed = json!({"status": "FAILED", "statusReason": {"reasonCode": "JAMMED", "reasonDescription": "stuck"}, "result": [1]});
    report(&mut pump, &id, failed).await;
    assert!(is_withdrawn(&world, &id).await);
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!((&shown["status"], &shown["reason"]), (&json!("FAILED"), &json!("JAMMED")));
    assert_eq!((&shown["result"], &shown["late"]), (&json!([1]), &json!(false)));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_expires_is_gone_before_its_ttl_has_passed() {
    let world = World::start().await;
    let mut pump = pump(&world).await;
    // The last tick within its ttl comes well before the end of it.
    world.advance(55).await;
    let command = sent(&world, json!({"ttl": 300})).await;
    let (id, _) = next(&mut pump).await;
    pump.leave().await;
    world.advance(300).await;
    assert!(is_withdrawn(&world, &id).await);
    assert_eq!(world.status(&command, "pump-7").await, ("TIMED_OUT".to_owned(), "NO_RESPONSE".to_owned()));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_called_off_is_gone() {
    let world = World::start().await;
    let mut pump = pump(&world).await;
    let waiting = sent(&world, json!({})).await;
    let (id, _) = next(&mut pump).await;
    assert_eq!(world.cancel(&waiting, false).await.status, 200);
    assert!(!world.shadow("pump-7", CMD)["state"].to_string().contains(&id));
    // Whoever sent it might have been slow: it is looked for again.
    world.advance(60).await;
    assert!(is_withdrawn(&world, &id).await);
    assert_eq!(world.status(&waiting, "pump-7").await.0, "CANCELED");

    let running = sent(&world, json!({})).await;
    let (id, _) = next(&mut pump).await;
    report(&mut pump, &id, json!({"status": "RUNNING"})).await;
    world.stack.settle().await;
    assert_eq!(world.cancel(&running, false).await.status, 409);
    assert!(!is_withdrawn(&world, &id).await);
    assert_eq!(world.cancel(&running, true).await.status, 200);
    assert!(!world.shadow("pump-7", CMD)["state"].to_string().contains(&id));
    world.advance(60).await;
    assert!(is_withdrawn(&world, &id).await);
    assert_eq!(world.status(&running, "pump-7").await.0, "CANCELED");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_are_in_the_shadow_at_once_and_each_goes_by_itself() {
    let world = World::start().await;
    let mut pump = pump(&world).await;
    let mut commands = Vec::new();
    for n in 0..4 {
        commands.push(sent(&world, json!({"payload": n})).await);
    }
    world.stack.settle().await;
    let entries = world.shadow("pump-7", CMD)["state"]["desired"]["c"].as_object().cloned().expect("entries");
    assert_eq!(entries.len(), 4);
    // The last first; a device that reports all of them in one update; and one that never answers.
    let id = |n: i32| entries.iter().find(|(_, entry)| entry["payload"] == n).expect("an entry").0.clone();
    report(&mut pump, &id(3), json!({"status": "SUCCEEDED"})).await;
    assert!(is_withdrawn(&world, &id(3)).await);
    let both = json!({"state": {"reported": {"c": {id(0): {"status": "SUCCEEDED"}, id(1): {"status": "REJECTED"}}}}});
    assert!(pump.publish(UPDATE, both.to_string()).await);
    assert!(is_withdrawn(&world, &id(0)).await && is_withdrawn(&world, &id(1)).await);
    let left = world.shadow("pump-7", CMD)["state"]["desired"]["c"].as_object().cloned().expect("entries");
    assert_eq!(left.keys().collect::<Vec<_>>(), [&id(2)]);
    for (command, status) in commands.iter().zip(["SUCCEEDED", "REJECTED", "CREATED", "SUCCEEDED"]) {
        assert_eq!(world.status(command, "pump-7").await.0, status);
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_answer_in_the_shadow_is_taken_and_cleaned_again() {
    let world = World::start().await;
    let mut pump = pump(&world).await;
    let command = sent(&world, json!({"ttl": 300})).await;
    let (id, _) = next(&mut pump).await;
    world.advance(300).await;
    assert!(is_withdrawn(&world, &id).await);
    report(&mut pump, &id, json!({"status": "SUCCEEDED", "result": "at last"})).await;
    assert!(is_withdrawn(&world, &id).await);
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!(
        (&shown["status"], &shown["late"], &shown["result"]),
        (&json!("SUCCEEDED"), &json!(true), &json!("at last"))
    );

    // It says so again, and then the opposite: that is old news, and cleaned too.
    for status in ["SUCCEEDED", "FAILED", "IN_PROGRESS"] {
        report(&mut pump, &id, json!({"status": status})).await;
        assert!(is_withdrawn(&world, &id).await, "{status}");
        assert_eq!(world.status(&command, "pump-7").await.0, "SUCCEEDED");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_attempt_takes_the_place_of_the_first() {
    let world = World::start().await;
    let mut pump = pump(&world).await;
    let retry = json!({"attempts": 2, "on": ["NO_RESPONSE"], "wait": 30, "backoff": {"base": 1, "cap": 1}});
    let command = sent(&world, json!({"ttl": 600, "retry": retry})).await;
    let (id, request) = next(&mut pump).await;
    assert_eq!(request["attempt"], 1);
    world.advance(120).await;
    let (again, request) = next(&mut pump).await;
    assert_eq!((&again, &request["attempt"]), (&id, &json!(2)));
    report(&mut pump, &id, json!({"status": "SUCCEEDED", "attempt": 2})).await;
    assert!(is_withdrawn(&world, &id).await);
    assert_eq!(world.status(&command, "pump-7").await.0, "SUCCEEDED");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_beside_a_good_answer_does_no_harm() {
    let world = World::start().await;
    let mut pump = pump(&world).await;
    let command = sent(&world, json!({})).await;
    let (id, _) = next(&mut pump).await;
    let entries = json!({
        "no id": {"status": "SUCCEEDED"},
        "aaaaaaaaaaaaaaaaaaaaaaaaaa": {"status": "SUCCEEDED"},
        "bbbbbbbbbbbbbbbbbbbbbbbbbb": "yes",
        "cccccccccccccccccccccccccc": {"status": 7},
        &id: {"status": "SUCCEEDED"},
    });
    assert!(pump.publish(UPDATE, json!({"state": {"reported": {"c": entries}}}).to_string()).await);
    assert!(is_withdrawn(&world, &id).await);
    assert_eq!(world.status(&command, "pump-7").await.0, "SUCCEEDED");
    assert!(world.counted("track-command", "ReportUndecodable") >= 3);
    assert!(world.counted("track-command", "ReportUnknown") >= 1);
    assert!(world.stack.sqs.peek("flaghoist-failures").is_empty());
    world.end().await;
}
