//! Contents and order of lifecycle events.

use std::time::Duration;

use super::raw_client::{RawClient, clean_connect, persistent_connect};
use super::{NOW_MS, broker, events};
use crate::codec::Version::{V5, V311};
use crate::{Broker, Peer, Principal};

#[tokio::test]
async fn all_lifecycle_events_of_a_client_are_published() {
    let (broker, _) = broker();
    let mut tap = broker.tap();
    let peer = Peer {
        address: Some("192.0.2.7:4711".parse().expect("an address")),
        principal: Some(Principal::Certificate("c0ffee".into())),
    };
    let mut client = RawClient::open_as(&broker, peer);
    client.send_connect(&clean_connect(V311, "dev/1")).await;
    client.subscribe_with(&[("a", 1), ("$aws/rules/r/x", 0), ("b/#", 0)], &[]).await;
    client.unsubscribe("a").await;
    client.unsubscribe("never").await;
    client.disconnect().await;
    let events = events(&mut tap);
    let topics: Vec<&str> = events.iter().map(|(topic, _)| topic.as_str()).collect();
    let expected = [
        "presence/connected/dev/1",
        "subscriptions/subscribed/dev/1",
        "subscriptions/unsubscribed/dev/1",
        "presence/disconnected/dev/1",
    ];
    assert_eq!(topics, expected);
    let session = events[0].1["sessionIdentifier"].as_str().expect("text").to_owned();
    let base = |event_type: &str| {
        serde_json::json!({
            "clientId": "dev/1", "timestamp": NOW_MS, "eventType": event_type, "sessionIdentifier": session,
            "principalIdentifier": "c0ffee",
        })
    };
    let mut connected = base("connected");
    connected["versionNumber"] = 0.into();
    connected["ipAddress"] = "192.0.2.7".into();
    let mut subscribed = base("subscribed");
    subscribed["topics"] = serde_json::json!(["a", "b/#"]);
    let mut unsubscribed = base("unsubscribed");
    unsubscribed["topics"] = serde_json::json!(["a"]);
    let mut disconnected = base("disconnected");
    disconnected["versionNumber"] = 0.into();
    disconnected["clientInitiatedDisconnect"] = true.into();
    disconnected["disconnectReason"] = "CLIENT_INITIATED_DISCONNECT".into();
    let bodies: Vec<_> = events.into_iter().map(|(_, body)| body).collect();
    assert_eq!(bodies, [connected, subscribed, unsubscribed, disconnected]);
}

async fn version_of_next_connection(broker: &Broker, id: &str) -> u64 {
    let mut tap = broker.tap();
    RawClient::connect(broker, &persistent_connect(V311, id)).await.disconnect().await;
    let events = events(&mut tap);
    assert_eq!(events[0].1["versionNumber"], events[1].1["versionNumber"]);
    events[0].1["versionNumber"].as_u64().expect("a number")
}

#[tokio::test]
async fn version_numbers_increase_and_reset_after_an_hour_offline() {
    let (broker, clock) = broker();
    assert_eq!(version_of_next_connection(&broker, "a").await, 0);
    assert_eq!(version_of_next_connection(&broker, "a").await, 1);
    clock.advance(Duration::from_secs(3_599));
    assert_eq!(version_of_next_connection(&broker, "a").await, 2);
    assert_eq!(version_of_next_connection(&broker, "b").await, 0);
    clock.advance(Duration::from_secs(3_600));
    assert_eq!(version_of_next_connection(&broker, "a").await, 0);
}

#[tokio::test]
async fn disconnected_event_states_the_reason() {
    let (broker, _) = broker();
    let mut tap = broker.tap();
    RawClient::connect(&broker, &clean_connect(V5, "a")).await.drop_connection().await;
    let mut first = RawClient::connect(&broker, &clean_connect(V5, "b")).await;
    let mut second = RawClient::connect(&broker, &clean_connect(V5, "b")).await;
    first.expect_disconnect().await;
    second.send_publish("#", b"", 0, &[]).await;
    second.expect_disconnect().await;
    let mut third = RawClient::connect(&broker, &clean_connect(V5, "c")).await;
    broker.disconnect("c", false, false);
    assert_eq!(third.expect_disconnect().await, Some(0x98));
    let ends: Vec<(String, String)> = events(&mut tap)
        .into_iter()
        .filter(|(topic, _)| topic.starts_with("presence/disconnected/"))
        .map(|(topic, body)| (topic, body["disconnectReason"].as_str().expect("text").to_owned()))
        .collect();
    let expected = [
        ("a", "CONNECTION_LOST"),
        ("b", "DUPLICATE_CLIENTID"),
        ("b", "CLIENT_ERROR"),
        ("c", "API_INITIATED_DISCONNECT"),
    ];
    assert_eq!(ends, expected.map(|(id, reason)| (format!("presence/disconnected/{id}"), reason.to_owned())));
}

#[tokio::test]
async fn client_ids_with_wildcards_have_no_events() {
    let (broker, _) = broker();
    let mut tap = broker.tap();
    for id in ["a#", "a+b"] {
        let mut client = RawClient::connect(&broker, &clean_connect(V311, id)).await;
        client.subscribe("t", 0).await;
        client.disconnect().await;
    }
    assert!(events(&mut tap).is_empty());
}

#[tokio::test]
async fn lifecycle_events_can_be_subscribed_to_and_keep_the_session_identifier() {
    let (broker, _) = broker();
    let mut watcher = RawClient::connect(&broker, &clean_connect(V311, "watcher")).await;
    watcher.subscribe("$aws/events/presence/+/device", 1).await;
    for _ in 0..2 {
        RawClient::connect(&broker, &persistent_connect(V311, "device")).await.drop_connection().await;
    }
    let mut sessions = Vec::new();
    for kind in ["connected", "disconnected", "connected", "disconnected"] {
        let received = watcher.receive_publish().await;
        assert_eq!(received.topic, format!("$aws/events/presence/{kind}/device"));
        let body: serde_json::Value = serde_json::from_str(&received.payload).expect("JSON");
        sessions.push(body["sessionIdentifier"].clone());
    }
    sessions.dedup();
    assert_eq!(sessions.len(), 1);
}
