//! Progress events of a command for one thing: one for each change that readers see, numbered, in order, none twice.

use std::collections::BTreeMap;

use local::faults::{Fault, StreamDelivery};
use serde_json::{Value, json};

use super::events::events;
use super::operator::{accepted, arn};
use crate::world::{Device, World};

/// What an event tells of its execution, in one line: attempt, status, delivery status and reason.
fn line(event: &Value) -> String {
    let shown = &event["execution"];
    let text = |field: &str| shown[field].as_str().unwrap_or("-").to_owned();
    format!("{} {} {} {}", shown["attempt"], text("status"), text("deliveryStatus"), text("reason"))
}

fn sequence(event: &Value) -> u64 {
    event["sequence"].as_u64().expect("a number")
}

/// Waits until everything that has happened is told. Batches of the stream wait for a second.
async fn told(world: &World) {
    world.settle().await;
    world.advance(2).await;
}

/// Checks the events of a command for pump-7: they tell these lines, their numbers grow, and the last one says what the
/// API shows. Returns the last one.
async fn check_events(world: &World, command: &str, lines: &[&str]) -> Value {
    told(world).await;
    let events = events(world, command);
    assert_eq!(events.iter().map(line).collect::<Vec<_>>(), lines, "{events:#?}");
    let numbers: Vec<u64> = events.iter().map(sequence).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    let last = events.last().expect("an event").clone();
    let (shown, execution) =
        (world.get(&format!("/commands/{command}")).await.body, world.execution(command, "pump-7").await);
    for field in ["commandId", "name", "state", "counts"] {
        assert_eq!(last[field], shown[field], "{field}: {last:#} {shown:#}");
    }
    let told = last["execution"].as_object().expect("an object");
    for (field, told) in told {
        assert_eq!(*told, execution[field], "{field}: {last:#} {execution:#}");
    }
    assert_eq!(told.len(), 10, "{last:#}");
    last
}

async fn report(world: &World, pump: &mut Device, request: &Value, report: Value) {
    let mut report = report;
    (report["executionId"], report["attempt"]) = (request["executionId"].clone(), request["attempt"].clone());
    pump.report("pump-7", report).await;
    told(world).await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn every_change_of_a_command_that_is_retried_has_a_numbered_event() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let retry = json!({"attempts": 2, "on": ["FAILED"], "backoff": {"base": 0}});
    let command = world.command("pump-7", json!({"delivery": "topic", "heartbeat": 30, "retry": retry})).await;
    let (_, first) = pump.next_json().await;
    let failure =
        json!({"status": "FAILED", "statusReason": {"reasonCode": "LOW_BATTERY", "reasonDescription": "3 %"}});
    report(&world, &mut pump, &first, failure).await;
    let (_, second) = pump.next_json().await;
    // Heartbeats change nothing that an event tells.
    for heartbeat in [json!({}), json!({"seq": 1}), json!({"result": {"done": 40}}), json!({"seq": 2})] {
        let mut running = json!({"status": "IN_PROGRESS"});
        running.as_object_mut().expect("an object").extend(heartbeat.as_object().expect("an object").clone());
        report(&world, &mut pump, &second, running).await;
    }
    let failure = json!({"status": "FAILED", "statusReason": {"reasonCode": "JAMMED", "reasonDescription": "it is"}});
    report(&world, &mut pump, &second, failure).await;
    let lines = [
        "1 CREATED SENT -",
        "2 CREATED PENDING -",
        "2 CREATED SENT -",
        "2 IN_PROGRESS DELIVERED -",
        "2 FAILED DELIVERED JAMMED",
    ];
    let last = check_events(&world, &command, &lines).await;
    assert_eq!((&last["execution"]["reasonDescription"], &last["state"]), (&json!("it is"), &json!("COMPLETED")));
    assert_eq!((&last["lastChange"], &last["why"]), (&Value::Null, &Value::Null));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn success_and_each_delivery_status_have_events() {
    let world = World::start().await;
    let command = world.command("pump-7", json!({"delivery": "direct"})).await;
    told(&world).await;
    let mut pump = world.thing("pump-7").await;
    let (_, request) = pump.next_json().await;
    report(&world, &mut pump, &request, json!({"status": "SUCCEEDED"})).await;
    let lines = [
        "1 CREATED PENDING -",
        "1 CREATED QUEUED -",
        "1 CREATED PENDING -",
        "1 CREATED DELIVERED -",
        "1 SUCCEEDED DELIVERED -",
    ];
    check_events(&world, &command, &lines).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn forced_cancel_its_confirmation_and_a_late_success_have_events() {
    let world = World::start().await;
    let mut pump = world.device("pump-7", &["cmd/pump-7/req", "cmd/pump-7/cancel"]).await;
    let command = world.command("pump-7", json!({"delivery": "topic"})).await;
    let (_, request) = pump.next_json().await;
    report(&world, &mut pump, &request, json!({"status": "IN_PROGRESS"})).await;
    let body = json!({"force": true, "why": "the valve sticks"});
    accepted(&world, "bob", &format!("/commands/{command}/cancel"), body).await;
    let canceled = ["1 CREATED SENT -", "1 IN_PROGRESS DELIVERED -", "1 CANCELED DELIVERED CANCELED_BY_OPERATOR"];
    let last = check_events(&world, &command, &canceled).await;
    assert_eq!((&last["execution"]["stopConfirmed"], &last["why"]), (&json!(false), &json!("the valve sticks")));
    let change = &last["lastChange"];
    assert_eq!((&change["action"], &change["by"]), (&json!("CANCELED"), &json!(arn("bob"))));
    let shown = world.get(&format!("/commands/{command}")).await.body;
    assert_eq!(Some(change), shown["history"].as_array().expect("a history").last());

    // The confirmation is told once, and has a number of its own although the row's progress stays.
    for _ in 0..2 {
        report(&world, &mut pump, &request, json!({"status": "CANCELED"})).await;
    }
    let mut lines = [canceled.as_slice(), &canceled[2..]].concat();
    let last = check_events(&world, &command, &lines).await;
    assert_eq!(last["execution"]["stopConfirmed"], true);

    report(&world, &mut pump, &request, json!({"status": "SUCCEEDED"})).await;
    lines.push("1 SUCCEEDED DELIVERED -");
    let last = check_events(&world, &command, &lines).await;
    assert_eq!(last["execution"]["late"], true);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn verdict_of_a_ttl_and_the_late_report_have_events() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let command = world.command("pump-7", json!({"delivery": "topic", "ttl": 20})).await;
    let (_, request) = pump.next_json().await;
    world.advance(30).await;
    let expired = ["1 CREATED SENT -", "1 TIMED_OUT SENT NO_RESPONSE"];
    check_events(&world, &command, &expired).await;
    report(&world, &mut pump, &request, json!({"status": "SUCCEEDED"})).await;
    let last = check_events(&world, &command, &[expired.as_slice(), &["1 SUCCEEDED DELIVERED -"]].concat()).await;
    assert_eq!(last["execution"]["late"], true);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn cancel_of_a_request_that_waits_has_an_event() {
    let world = World::start().await;
    let command = world.command("pump-7", json!({"delivery": "direct"})).await;
    accepted(&world, "bob", &format!("/commands/{command}/cancel"), json!({})).await;
    let lines = ["1 CREATED PENDING -", "1 CREATED QUEUED -", "1 CANCELED QUEUED CANCELED_BY_OPERATOR"];
    let last = check_events(&world, &command, &lines).await;
    assert_eq!(last["execution"]["stopConfirmed"], Value::Null, "its device never had it");
    world.end().await;
}

/// Runs a command to its success; a function that crashes while it publishes has told some of it before.
async fn succeed(world: &World) -> String {
    let mut pump = world.thing("pump-7").await;
    let command = world.command("pump-7", json!({"delivery": "topic"})).await;
    let (_, request) = pump.next_json().await;
    for status in ["IN_PROGRESS", "SUCCEEDED"] {
        report(world, &mut pump, &request, json!({ "status": status })).await;
    }
    world.advance(30).await;
    command
}

const SUCCESS: [&str; 3] = ["1 CREATED SENT -", "1 IN_PROGRESS DELIVERED -", "1 SUCCEEDED DELIVERED -"];

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn one_process_tells_a_repeated_batch_once() {
    let world = World::start().await;
    world.stack.faults.batches(|_| StreamDelivery::Twice);
    let command = succeed(&world).await;
    world.stack.mappings.replay(crate::world::EXECUTIONS, 10);
    check_events(&world, &command, &SUCCESS).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn another_process_tells_the_same_under_the_same_number() {
    let world = World::start().await;
    world.stack.faults.plan(|call| {
        let publishes = call.function == "flaghoist-tally-command" && call.operation == "IotData.Publish";
        (publishes && call.nth == 1).then_some(Fault::KillAfter)
    });
    let mut pump = world.thing("pump-7").await;
    let command = world.command("pump-7", json!({"delivery": "topic"})).await;
    let (_, request) = pump.next_json().await;
    report(&world, &mut pump, &request, json!({"status": "IN_PROGRESS"})).await;
    world.stack.faults.clear();
    world.advance(30).await;
    report(&world, &mut pump, &request, json!({"status": "SUCCEEDED"})).await;
    let mut told = BTreeMap::<u64, Value>::new();
    let events = events(&world, &command);
    for event in &events {
        let before = told.entry(sequence(event)).or_insert_with(|| event.clone());
        before["at"] = event["at"].clone();
        assert_eq!(before, event, "one number, one meaning");
    }
    assert!(events.len() > told.len(), "the crash has made the function tell something again: {events:#?}");
    assert_eq!(told.values().map(line).collect::<Vec<_>>(), SUCCESS);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn event_that_can_not_be_published_is_counted_and_nothing_waits_for_it() {
    let world = World::start().await;
    world.stack.faults.plan(|call| {
        let publishes = call.function == "flaghoist-tally-command" && call.operation == "IotData.Publish";
        publishes.then_some(Fault::Throttle)
    });
    let mut pump = world.thing("pump-7").await;
    let command = world.command("pump-7", json!({"delivery": "topic"})).await;
    told(&world).await;
    assert_eq!(events(&world, &command), [Value::Null; 0]);
    assert_eq!(world.counted("tally-command", "EventsUnpublished"), 1);
    world.stack.faults.clear();
    let (_, request) = pump.next_json().await;
    report(&world, &mut pump, &request, json!({"status": "SUCCEEDED"})).await;
    check_events(&world, &command, &SUCCESS[2..]).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn events_of_commands_for_one_thing_can_be_turned_off() {
    let world = World::with_parameters(&[("SingleCommandEvents", "false")]).await;
    let command = succeed(&world).await;
    assert_eq!(world.status(&command, "pump-7").await.0, "SUCCEEDED");
    assert_eq!(events(&world, &command), [Value::Null; 0]);
    assert_eq!(world.stack.lambda.stats("flaghoist-tally-command").invocations, 0, "nothing is paid for");
    world.end().await;
}
