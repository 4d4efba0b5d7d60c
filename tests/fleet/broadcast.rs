//! One message for a whole fleet.

use std::time::Duration;

use device::fleet::{Fleet, FleetConfig, Knobs};
use local::{
    faults::{Call, Fault},
    journal::Event,
};
use serde_json::{Value, json};

use super::operator::{all, ask, pass, shown, stored, tell, things_with, ticking, until, until_state};
use crate::world::{COMMANDS, EXECUTIONS, START, World};

const TOPIC: &str = "cmd/group/pumps/req";
const FAN_OUT: &str = "flaghoist-fan-out-command";

/// Things that take the broadcasts of their group.
async fn things(world: &World, prefix: &str, things: usize, knobs: Knobs) -> Fleet {
    let edit = |config| FleetConfig { prefix: prefix.to_owned(), knobs, groups: vec!["pumps".to_owned()], ..config };
    things_with(world, things, edit).await
}

/// Asks all of them with one message.
async fn broadcast(world: &World, more: Value) -> String {
    let mut body = json!({"delivery": "broadcast"});
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    ask(world, body).await
}

/// The messages that functions published on topics that this is true of.
fn published(world: &World, is: impl Fn(&str) -> bool) -> Vec<Value> {
    let message = |event: &Event| match event {
        Event::Published { topic, payload, client: None } if is(topic) => serde_json::from_slice(payload).ok(),
        _ => None,
    };
    world.stack.journal.entries().iter().filter_map(|entry| message(&entry.event)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_message_asks_all_and_each_answer_finds_its_thing() {
    let world = World::start().await;
    let fleet = things(&world, "pump", 230, Knobs { fail: 0.2, twice: 0.2, ..Knobs::default() }).await;
    let mute = things(&world, "mute", 20, all(|knobs| knobs.mute = 1.0)).await;
    let id = broadcast(&world, json!({"ttl": 90})).await;
    world.stack.settle().await;
    pass(&world, 5).await;
    let messages = published(&world, |topic| topic.ends_with("/req"));
    let [message] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!((&message["commandId"], &message["expiresAt"]), (&json!(id), &json!(START + 90)));
    assert_eq!(message.get("executionId"), None);
    assert_eq!(published(&world, |topic| topic == TOPIC).len(), 1);
    assert_eq!(world.rows(EXECUTIONS).await.len(), 250);
    let failing =
        fleet.things().iter().filter(|thing| fleet.script(thing).expect("one").expected(false).status == "FAILED");
    let failing = failing.count() as u64;
    let so_far = until(&world, &id, 20, |shown| shown["counts"]["CREATED"] == 20).await;
    assert_eq!((&so_far["counts"]["FAILED"], &so_far["counts"]["SUCCEEDED"]), (&json!(failing), &json!(230 - failing)));
    let done = until_state(&world, &id, 150, "COMPLETED").await;
    assert_eq!((&done["counts"]["TIMED_OUT"], &done["counts"]["byReason"]["NO_RESPONSE"]), (&json!(20), &json!(20)));
    for thing in fleet.things().iter().take(5) {
        let expected = fleet.script(thing).expect("one").expected(false);
        assert_eq!(world.status(&id, thing).await.0, expected.status, "{thing}");
    }
    fleet.stop().await;
    mute.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_spread() {
    let world = World::start().await;
    let fleet = things(&world, "pump", 60, Knobs::default()).await;
    let id = broadcast(&world, json!({"ttl": 60, "broadcast": {"spread": 30}})).await;
    until_state(&world, &id, 50, "COMPLETED").await;
    let begun = super::operator::begun(&fleet);
    assert_eq!(begun.len(), 60);
    let seconds: std::collections::BTreeSet<i64> = begun.iter().map(|at| at / 1000).collect();
    assert!(seconds.len() >= 15 && begun[59] >= 20_000 && begun[59] <= 31_000, "{begun:?}");
    fleet.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_that_know_only_the_topic_of_all_answer_there_in_text() {
    let world = World::start().await;
    let names = ["pump-1", "pump-2", "pump-3"].map(str::to_owned);
    world.stack.registry.add_things("pumps", &names).expect("a group");
    let mut devices = Vec::new();
    for name in &names {
        devices.push(world.device(name, &["device_status/request"]).await);
    }
    let id = broadcast(&world, json!({"ttl": 60, "broadcast": {"topic": "device_status/request"}})).await;
    world.advance(2).await;
    for (device, word) in devices.iter_mut().zip(["SUCCESS", "SUCCESS", "FAILURE"]) {
        let (topic, payload) = device.next().await;
        assert_eq!(topic, "device_status/request");
        let request: Value = serde_json::from_slice(&payload).expect("JSON");
        assert_eq!((&request["commandId"], &request["responseTopic"]), (&json!(id), &json!("device_status/response")));
        let text = String::from_utf8(payload).expect("text");
        let answer = format!("{word}: command ran successfully from payload: b'{text}'");
        assert!(device.publish("device_status/response", answer).await);
    }
    let done = until_state(&world, &id, 20, "COMPLETED").await;
    assert_eq!((&done["counts"]["SUCCEEDED"], &done["counts"]["FAILED"]), (&json!(2), &json!(1)));
    assert_eq!(world.status(&id, "pump-3").await.0, "FAILED");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_topics_of_all_are_those_of_the_deployment() {
    let world =
        World::with_parameters(&[("BroadcastTopic", "site/ask"), ("BroadcastResponseTopic", "site/told")]).await;
    world.stack.registry.add_things("pumps", &["pump-1"]).expect("a group");
    let mut device = world.device("pump-1", &["site/ask"]).await;
    let body = |topic: &str| json!({"name": "reboot", "target": {"groups": ["pumps"]}, "delivery": "broadcast", "ttl": 60, "broadcast": {"topic": topic}});
    let refused = world.post("/commands", &body("device_status/request")).await;
    assert_eq!((refused.status, &refused.body["field"]), (422, &json!("broadcast.topic")), "{refused:?}");
    let asked = world.post("/commands", &body("site/ask")).await;
    assert_eq!(asked.status, 202, "{asked:?}");
    world.advance(2).await;
    let (topic, payload) = device.next().await;
    let request: Value = serde_json::from_slice(&payload).expect("JSON");
    assert_eq!((topic.as_str(), &request["responseTopic"]), ("site/ask", &json!("site/told")));
    let answer = format!("SUCCESS: done: b'{}'", String::from_utf8(payload).expect("text"));
    assert!(device.publish("site/told", answer).await);
    let id = asked.body["commandId"].as_str().expect("an id");
    let done = until_state(&world, id, 20, "COMPLETED").await;
    assert_eq!(done["counts"]["SUCCEEDED"], 1, "{done:#}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn simulated_things_answer_where_the_message_says() {
    let world = World::start().await;
    let fleet = things_with(&world, 30, |config| FleetConfig {
        broadcast_topics: vec!["device_status/request".to_owned()],
        answer_topics: vec!["device_status/response".to_owned()],
        ..config
    })
    .await;
    let id = broadcast(&world, json!({"ttl": 60, "broadcast": {"topic": "device_status/request", "spread": 5}})).await;
    let done = until_state(&world, &id, 30, "COMPLETED").await;
    assert_eq!(done["counts"]["SUCCEEDED"], 30);
    assert_eq!(fleet.stats().broadcasts, 30);
    fleet.stop().await;
    world.end().await;
}

/// What fan-out-command calls, and a fault there once.
/// Whether a call sends the one message, and does not tell how the command stands.
fn is_broadcast(call: &Call) -> bool {
    call.operation == "IotData.Publish" && !call.path.contains("/events")
}

async fn sent_although(fault: Fault, times: usize) {
    let world = ticking("10").await;
    let fleet = things(&world, "pump", 40, Knobs::default()).await;
    let mut met = false;
    world.stack.faults.plan(move |call| {
        let here = call.function == FAN_OUT && is_broadcast(call) && !met;
        met |= here;
        here.then_some(fault)
    });
    let id = broadcast(&world, json!({"ttl": 120})).await;
    let done = until_state(&world, &id, 100, "COMPLETED").await;
    assert_eq!(done["counts"]["SUCCEEDED"], 40, "{fault:?}");
    // Whoever does not know that it is out sends it by then.
    pass(&world, 45).await;
    assert_eq!(published(&world, |topic| topic == TOPIC).len(), times, "{fault:?}");
    assert_eq!(fleet.stats().started, 40, "{fault:?}: once each");
    fleet.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_dies_before_it_is_out_is_followed_by_another() {
    sent_although(Fault::KillBefore, 1).await;
    sent_although(Fault::Throttle, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_out_goes_out_again_and_devices_know_it() {
    sent_although(Fault::KillAfter, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_that_lasts_a_while_only_delays_it() {
    let world = ticking("10").await;
    let fleet = things(&world, "pump", 10, Knobs::default()).await;
    let mut left = 8;
    world.stack.faults.plan(move |call| {
        let here = call.function == FAN_OUT && is_broadcast(call) && left > 0;
        left -= i32::from(here);
        here.then_some(Fault::Throttle)
    });
    let id = broadcast(&world, json!({"ttl": 90})).await;
    let done = until_state(&world, &id, 80, "COMPLETED").await;
    assert_eq!((&done["counts"]["SUCCEEDED"], published(&world, |topic| topic == TOPIC).len()), (&json!(10), 1));
    fleet.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_called_off_before_it_went_out_is_not_out() {
    let world = World::start().await;
    let fleet = things(&world, "pump", 130, Knobs::default()).await;
    let id = broadcast(&world, json!({"ttl": 60})).await;
    world.stack.settle().await;
    assert_eq!(world.rows(EXECUTIONS).await.len(), 130);
    assert_eq!(published(&world, |topic| topic == TOPIC).len(), 0, "the batches are counted a second later");
    assert_eq!(world.cancel(&id, false).await.status, 200);
    pass(&world, 140).await;
    let shown = shown(&world, &id).await;
    assert_eq!(
        (&shown["counts"]["CANCELED"], &shown["counts"]["byDeliveryStatus"]["PENDING"]),
        (&json!(130), &json!(130))
    );
    assert_eq!(published(&world, |topic| topic.starts_with("cmd/pump") || topic == TOPIC).len(), 0, "nobody is told");
    fleet.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_out_in_time_has_expired() {
    for body in [json!({"ttl": 40}), json!({"ttl": 40, "heartbeat": 20})] {
        let world = ticking("10").await;
        let fleet = things(&world, "pump", 25, Knobs::default()).await;
        // One row can't be stored, and the others wait for it.
        world.stack.faults.plan(|call| {
            let row = call.operation == "DynamoDB.PutItem" && String::from_utf8_lossy(&call.body).contains("T#pump-07");
            row.then_some(Fault::Throttle)
        });
        let id = broadcast(&world, body).await;
        let late = until(&world, &id, 70, |shown| shown["counts"]["TIMED_OUT"] == 24).await;
        assert_eq!(
            (&late["counts"]["byReason"]["EXPIRED"], &late["counts"]["byDeliveryStatus"]["PENDING"]),
            (&json!(24), &json!(24))
        );
        world.stack.faults.clear();
        let done = until_state(&world, &id, 40, "COMPLETED").await;
        assert_eq!((&done["counts"]["byReason"]["EXPIRED"], fleet.stats().broadcasts), (&json!(25), 0));
        assert_eq!(world.status(&id, "pump-01").await, ("TIMED_OUT".to_owned(), "EXPIRED".to_owned()));
        fleet.stop().await;
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_paused_until_its_time_is_over_has_expired() {
    let world = ticking("10").await;
    let fleet = things(&world, "pump", 25, Knobs::default()).await;
    world.stack.streams.hold(COMMANDS);
    let id = broadcast(&world, json!({"ttl": 40})).await;
    tell(&world, &id, "pause").await;
    world.stack.streams.release(COMMANDS);
    pass(&world, 60).await;
    assert_eq!(world.rows(EXECUTIONS).await.len(), 0);
    tell(&world, &id, "resume").await;
    let done = until_state(&world, &id, 30, "COMPLETED").await;
    assert_eq!((&done["counts"]["byReason"]["EXPIRED"], fleet.stats().broadcasts), (&json!(25), 0));
    fleet.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_that_have_it_are_told_that_it_is_called_off() {
    let world = World::start().await;
    let slow = things(&world, "slow", 12, all(|knobs| knobs.slow = 1.0)).await;
    let later = things(&world, "pump", 8, all(|knobs| knobs.mute = 1.0)).await;
    let id = broadcast(&world, json!({"ttl": 60})).await;
    // It goes out when the batches are counted.
    world.advance(1).await;
    stored(&world, "IN_PROGRESS", 12).await;
    assert_eq!(world.cancel(&id, true).await.status, 200);
    let done = until(&world, &id, 10, |shown| shown["counts"]["CANCELED"] == 20).await;
    assert_eq!(done["state"], "CANCELED");
    assert_eq!((slow.stats().cancels, later.stats().cancels), (12, 8));
    let stopped = |run: &device::fleet::Run| matches!(run.ended, Some((_, device::fleet::Finish::Stopped)));
    assert!(slow.runs().iter().all(stopped), "they know it by the command's id");
    slow.stop().await;
    later.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_to_nobody_is_done() {
    let world = World::start().await;
    world.stack.registry.add_things("pumps", &[""; 0]).expect("a group");
    let id = broadcast(&world, json!({"ttl": 60})).await;
    let done = until_state(&world, &id, 20, "COMPLETED").await;
    assert_eq!((&done["counts"]["total"], published(&world, |topic| topic == TOPIC).len()), (&json!(0), 0));
    world.stack.advance(Duration::from_secs(120)).await;
    world.end().await;
}
