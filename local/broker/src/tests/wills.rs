//! Last wills: when they are published, and when not.

use super::wire::{Hello, Wire, hello};
use super::{broker, forbidding, tapped};
use crate::codec::Version::{V5, V311};

#[tokio::test]
async fn a_broken_connection_publishes_the_will() {
    for version in [V311, V5] {
        let (broker, _) = broker();
        let mut tap = broker.tap();
        let mut watcher = Wire::connect(&broker, &hello(V311, "watcher")).await;
        watcher.subscribe("gone", 1).await;
        Wire::connect(&broker, &hello(version, "device").with_will("gone", "bye")).await.vanish().await;
        assert_eq!(watcher.got().await.payload, "bye");
        let seen = tapped(&mut tap);
        assert!(seen[0].last_will);
        assert_eq!(seen[0].publisher.client_id.as_deref(), Some("device"));
    }
}

#[tokio::test]
async fn leaving_discards_the_will_unless_mqtt_5_asks_for_it() {
    let (broker, _) = broker();
    let mut tap = broker.tap();
    Wire::connect(&broker, &hello(V311, "a").with_will("gone", "a")).await.leave().await;
    Wire::connect(&broker, &hello(V5, "b").with_will("gone", "b")).await.leave().await;
    assert!(tapped(&mut tap).is_empty());
    let mut wire = Wire::connect(&broker, &hello(V5, "c").with_will("gone", "c")).await;
    wire.send(&[0xE0, 1, 4]).await;
    assert_eq!(wire.hung_up().await, None);
    assert_eq!(tapped(&mut tap).len(), 1);
}

#[tokio::test]
async fn takeover_and_errors_publish_the_will() {
    let (broker, _) = broker();
    let mut tap = broker.tap();
    let mut first = Wire::connect(&broker, &hello(V311, "device").with_will("gone", "1")).await;
    let mut second = Wire::connect(&broker, &hello(V311, "device").with_will("gone", "2")).await;
    first.hung_up().await;
    second.say("a/#", b"x", 0, &[]).await;
    second.hung_up().await;
    let payloads: Vec<_> = tapped(&mut tap).into_iter().map(|published| published.message.payload).collect();
    assert_eq!(payloads, ["1", "2"]);
}

#[tokio::test]
async fn a_silent_client_is_gone_after_one_and_a_half_keep_alives() {
    let (broker, _) = broker();
    let mut tap = broker.tap();
    let start = std::time::Instant::now();
    let hello = Hello { keep_alive_s: 1, ..hello(V5, "device").with_will("gone", "bye") };
    let mut wire = Wire::connect(&broker, &hello).await;
    assert_eq!(wire.hung_up().await, Some(0x8D));
    assert!(start.elapsed().as_millis() >= 1_500);
    assert!(tapped(&mut tap)[0].last_will);
    let reason = broker.connection("device").and_then(|connection| connection.disconnect_reason);
    assert_eq!(reason, Some("MQTT_KEEP_ALIVE_TIMEOUT"));
}

#[tokio::test]
async fn the_connection_api_may_prevent_it() {
    let (broker, _) = broker();
    let mut tap = broker.tap();
    for (id, prevent) in [("a", true), ("b", false)] {
        let mut wire = Wire::connect(&broker, &hello(V311, id).with_will("gone", id)).await;
        assert!(broker.disconnect(id, false, prevent));
        wire.hung_up().await;
    }
    let seen = tapped(&mut tap);
    assert_eq!((seen.len(), seen[0].message.payload.as_ref()), (1, &b"b"[..]));
}

#[tokio::test]
async fn a_will_may_be_retained_and_must_be_allowed() {
    let (broker, _) = broker();
    let mut hello = hello(V311, "device").with_will("gone", "bye");
    hello.will.as_mut().expect("a will").retain = true;
    Wire::connect(&broker, &hello).await.vanish().await;
    assert!(broker.retained("gone").is_some());
    let broker = forbidding("iot:Publish", "gone");
    let mut tap = broker.tap();
    Wire::connect(&broker, &hello).await.vanish().await;
    assert!(tapped(&mut tap).is_empty());
}
