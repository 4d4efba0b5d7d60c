//! Broadcasts, one message for a whole fleet: who gets it, where devices report, how it is canceled and expires.

use std::collections::BTreeSet;
use std::time::Duration;

use device::fleet::{BehaviourShares, Fleet, FleetConfig, Run, RunOutcome};
use local::journal::Event;
use serde_json::{Value, json};

use super::operator::{
    control, create, pass_seconds, show, wait_for_rows, wait_for_state, wait_until, world_with_ticks,
};
use super::simulated_things::{shares, start_offsets_ms, start_things_with};
use crate::world::{COMMANDS, EXECUTIONS, START, World};

pub(super) const TOPIC: &str = "cmd/group/pumps/req";

/// Starts things that take the broadcasts of their group.
pub(super) async fn start_things(world: &World, prefix: &str, count: usize, shares: BehaviourShares) -> Fleet {
    let edit = |config| FleetConfig { prefix: prefix.to_owned(), shares, groups: vec!["pumps".to_owned()], ..config };
    start_things_with(world, count, edit).await
}

/// Creates a broadcast with these members; its id.
pub(super) async fn broadcast(world: &World, members: Value) -> String {
    let mut body = json!({"delivery": "broadcast"});
    body.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
    create(world, body).await
}

/// The messages that functions published on matching topics.
pub(super) fn published(world: &World, is_match: impl Fn(&str) -> bool) -> Vec<Value> {
    let message = |event: &Event| match event {
        Event::Published { topic, payload, client: None } if is_match(topic) => serde_json::from_slice(payload).ok(),
        _ => None,
    };
    world.stack.journal.entries().iter().filter_map(|entry| message(&entry.event)).collect()
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn one_message_reaches_every_thing_and_each_report_finds_its_execution() {
    let world = World::start().await;
    let fleet_shares = BehaviourShares { fail: 0.2, twice: 0.2, ..BehaviourShares::default() };
    let fleet = start_things(&world, "pump", 230, fleet_shares).await;
    let mute = start_things(&world, "mute", 20, shares(|shares| shares.mute = 1.0)).await;
    let id = broadcast(&world, json!({"ttl": 90})).await;
    world.settle().await;
    pass_seconds(&world, 5).await;
    let messages = published(&world, |topic| topic.ends_with("/req"));
    let [message] = &messages[..] else { panic!("more or less than one request: {messages:?}") };
    assert_eq!((&message["commandId"], &message["expiresAt"]), (&json!(id), &json!(START + 90)));
    assert_eq!((message.get("executionId"), &message["group"]), (None, &json!("pumps")));
    assert_eq!(published(&world, |topic| topic == TOPIC).len(), 1);
    assert_eq!(world.rows(EXECUTIONS).await.len(), 250);
    let expected = |thing: &String| fleet.script(thing).expect("every thing has a script").expected(false);
    let failing = fleet.things().iter().filter(|thing| expected(thing).status == "FAILED").count() as u64;
    let answered = wait_until(&world, &id, 20, |shown| shown["counts"]["CREATED"] == 20).await;
    let counts = &answered["counts"];
    assert_eq!((&counts["FAILED"], &counts["SUCCEEDED"]), (&json!(failing), &json!(230 - failing)));
    let done = wait_for_state(&world, &id, 150, "COMPLETED").await;
    assert_eq!((&done["counts"]["TIMED_OUT"], &done["counts"]["byReason"]["NO_RESPONSE"]), (&json!(20), &json!(20)));
    for thing in fleet.things().iter().take(5) {
        assert_eq!(world.status(&id, thing).await.0, expected(thing).status, "{thing}");
    }
    fleet.stop().await;
    mute.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn spread_distributes_the_starts_over_its_seconds() {
    let world = World::start().await;
    let fleet = start_things(&world, "pump", 60, BehaviourShares::default()).await;
    let id = broadcast(&world, json!({"ttl": 60, "broadcast": {"spread": 30}})).await;
    wait_for_state(&world, &id, 50, "COMPLETED").await;
    let starts_ms = start_offsets_ms(&fleet);
    assert_eq!(starts_ms.len(), 60);
    let seconds: BTreeSet<i64> = starts_ms.iter().map(|at_ms| at_ms / 1000).collect();
    assert!(seconds.len() >= 15 && (20_000..=31_000).contains(&starts_ms[59]), "{starts_ms:?}");
    fleet.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn devices_that_share_one_topic_report_there_in_text() {
    let world = World::start().await;
    let names = ["pump-1", "pump-2", "pump-3"].map(str::to_owned);
    world.stack.registry.add_things("all", &names).expect("the group is valid");
    let mut devices = Vec::new();
    for name in &names {
        devices.push(world.device(name, &["device_status/request"]).await);
    }
    let target = json!({"query": "thingName:*"});
    let topic = json!({"topic": "device_status/request"});
    let id = broadcast(&world, json!({"target": target, "ttl": 60, "broadcast": topic})).await;
    world.advance(2).await;
    for (device, word) in devices.iter_mut().zip(["SUCCESS", "SUCCESS", "FAILURE"]) {
        let (topic, payload) = device.next().await;
        assert_eq!(topic, "device_status/request");
        let request: Value = serde_json::from_slice(&payload).expect("the request is JSON");
        assert_eq!((&request["commandId"], &request["responseTopic"]), (&json!(id), &json!("device_status/response")));
        let request_text = String::from_utf8(payload).expect("the request is text");
        let report = format!("{word}: command ran successfully from payload: b'{request_text}'");
        assert!(device.publish("device_status/response", report).await);
    }
    let done = wait_for_state(&world, &id, 20, "COMPLETED").await;
    assert_eq!((&done["counts"]["SUCCEEDED"], &done["counts"]["FAILED"]), (&json!(2), &json!(1)));
    assert_eq!(world.status(&id, "pump-3").await.0, "FAILED");
    world.end().await;
}

/// A group includes the things of its child groups, which have to listen on the topic of the parent.
#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn things_of_child_groups_are_asked_on_the_topic_of_the_parent() {
    let world = World::start().await;
    let registry = &world.stack.registry;
    registry.add_group("site", None).expect("the group is valid");
    registry.add_group("pumps", Some("site")).expect("the group is valid");
    registry.add_things("site", &["door-1"]).expect("the group is valid");
    registry.add_things("pumps", &["pump-1", "pump-2"]).expect("the group is valid");
    let topics = ["cmd/group/site/req", TOPIC];
    let mut listening = [world.device("door-1", &topics[..1]).await, world.device("pump-1", &topics).await];
    let mut elsewhere = world.device("pump-2", &topics[1..]).await;
    let id = broadcast(&world, json!({"target": {"groups": ["site"]}, "ttl": 60})).await;
    world.advance(2).await;
    for (device, name) in listening.iter_mut().zip(["door-1", "pump-1"]) {
        let (topic, request) = device.next_json().await;
        assert_eq!((&*topic, &request["commandId"], &request["group"]), (topics[0], &json!(id), &json!("site")));
        match name {
            // A device that names what it answers in the topic knows the command alone.
            "door-1" => assert!(device.publish(&format!("cmd/door-1/resp/{id}"), "SUCCESS").await),
            _ => device.report(name, json!({"commandId": id, "status": "SUCCEEDED"})).await,
        }
        assert!(device.has_nothing(), "{name} is asked once");
    }
    assert!(elsewhere.has_nothing(), "it does not listen on the topic of its group's parent");
    let done = wait_for_state(&world, &id, 150, "COMPLETED").await;
    assert_eq!((&done["counts"]["SUCCEEDED"], &done["counts"]["byReason"]["NO_RESPONSE"]), (&json!(2), &json!(1)));
    assert_eq!(world.status(&id, "pump-2").await.1, "NO_RESPONSE");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn shared_topics_are_parameters_of_the_deployment() {
    let world = World::with_parameters(&[
        ("BroadcastTopic", "site/ask"),
        ("BroadcastGroup", "pumps"),
        ("BroadcastResponseTopic", "site/told"),
    ])
    .await;
    world.stack.registry.add_things("pumps", &["pump-1"]).expect("the group is valid");
    let mut device = world.device("pump-1", &["site/ask"]).await;
    let body = |topic: &str| {
        json!({"name": "reboot", "target": {"groups": ["pumps"]}, "delivery": "broadcast", "ttl": 60,
            "broadcast": {"topic": topic}})
    };
    let refused = world.post("/commands", &body("device_status/request")).await;
    assert_eq!((refused.status, &refused.body["field"]), (422, &json!("broadcast.topic")), "{refused:?}");
    let id = create(&world, body("site/ask")).await;
    world.advance(2).await;
    let (topic, payload) = device.next().await;
    let request: Value = serde_json::from_slice(&payload).expect("the request is JSON");
    assert_eq!((topic.as_str(), &request["responseTopic"]), ("site/ask", &json!("site/told")));
    let report = format!("SUCCESS: done: b'{}'", String::from_utf8(payload).expect("the request is text"));
    assert!(device.publish("site/told", report).await);
    let done = wait_for_state(&world, &id, 20, "COMPLETED").await;
    assert_eq!(done["counts"]["SUCCEEDED"], 1, "{done:#}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn simulated_things_report_on_the_response_topic_of_the_message() {
    let world = World::start().await;
    let fleet = start_things_with(&world, 30, |config| FleetConfig {
        broadcast_topics: vec!["device_status/request".to_owned()],
        response_topics: vec!["device_status/response".to_owned()],
        ..config
    })
    .await;
    let target = json!({"query": "thingName:*"});
    let topic = json!({"topic": "device_status/request", "spread": 5});
    let id = broadcast(&world, json!({"target": target, "ttl": 60, "broadcast": topic})).await;
    let done = wait_for_state(&world, &id, 30, "COMPLETED").await;
    assert_eq!(done["counts"]["SUCCEEDED"], 30);
    assert_eq!(fleet.stats().broadcasts, 30);
    fleet.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn broadcast_that_is_canceled_before_it_is_sent_is_never_sent() {
    let world = World::start().await;
    let fleet = start_things(&world, "pump", 130, BehaviourShares::default()).await;
    let id = broadcast(&world, json!({"ttl": 60})).await;
    world.settle().await;
    assert_eq!(world.rows(EXECUTIONS).await.len(), 130);
    assert_eq!(published(&world, |topic| topic == TOPIC).len(), 0, "it waits for the counts of its batches");
    assert_eq!(world.cancel(&id, false).await.status, 200);
    pass_seconds(&world, 140).await;
    let shown = show(&world, &id).await;
    let counts = &shown["counts"];
    assert_eq!((&counts["CANCELED"], &counts["byDeliveryStatus"]["PENDING"]), (&json!(130), &json!(130)));
    let messages = published(&world, |topic| topic.starts_with("cmd/pump") || topic == TOPIC);
    assert_eq!(messages.len(), 0, "no device gets a request or a cancel notice");
    fleet.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn broadcast_that_is_paused_beyond_its_ttl_expires() {
    let world = world_with_ticks("10").await;
    let fleet = start_things(&world, "pump", 25, BehaviourShares::default()).await;
    world.stack.streams.hold(COMMANDS);
    let id = broadcast(&world, json!({"ttl": 40})).await;
    control(&world, &id, "pause").await;
    world.stack.streams.release(COMMANDS);
    pass_seconds(&world, 60).await;
    assert_eq!(world.rows(EXECUTIONS).await.len(), 0);
    control(&world, &id, "resume").await;
    let done = wait_for_state(&world, &id, 30, "COMPLETED").await;
    assert_eq!((&done["counts"]["byReason"]["EXPIRED"], fleet.stats().broadcasts), (&json!(25), 0));
    fleet.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn devices_that_have_a_broadcast_get_the_notice_of_its_cancel() {
    let world = World::start().await;
    let slow = start_things(&world, "slow", 12, shares(|shares| shares.slow = 1.0)).await;
    let mute = start_things(&world, "pump", 8, shares(|shares| shares.mute = 1.0)).await;
    let id = broadcast(&world, json!({"ttl": 60})).await;
    // It is sent when its batches are counted.
    world.advance(1).await;
    wait_for_rows(&world, "IN_PROGRESS", 12).await;
    assert_eq!(world.cancel(&id, true).await.status, 200);
    let done = wait_until(&world, &id, 10, |shown| shown["counts"]["CANCELED"] == 20).await;
    assert_eq!(done["state"], "CANCELED");
    assert_eq!((slow.stats().cancels, mute.stats().cancels), (12, 8));
    let is_stopped = |run: &Run| matches!(run.ended, Some((_, RunOutcome::Stopped)));
    assert!(slow.runs().iter().all(is_stopped), "the notice contains the command's id, which the devices know");
    slow.stop().await;
    mute.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn broadcast_to_an_empty_group_is_completed_without_a_message() {
    let world = World::start().await;
    world.stack.registry.add_things("pumps", &[""; 0]).expect("the group is valid");
    let id = broadcast(&world, json!({"ttl": 60})).await;
    let done = wait_for_state(&world, &id, 20, "COMPLETED").await;
    assert_eq!((&done["counts"]["total"], published(&world, |topic| topic == TOPIC).len()), (&json!(0), 0));
    world.stack.advance(Duration::from_secs(120)).await;
    world.end().await;
}
