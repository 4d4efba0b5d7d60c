//! Last wills: the disconnects that publish them, and authorization.

use tokio::time::Instant;

use super::raw_client::{ConnectPacket, RawClient, clean_connect};
use super::{broker, broker_denying, tapped};
use crate::codec::Version::{V5, V311};

#[tokio::test]
async fn a_broken_connection_publishes_the_will() {
    for version in [V311, V5] {
        let (broker, _) = broker();
        let mut tap = broker.tap();
        let mut watcher = RawClient::connect(&broker, &clean_connect(V311, "watcher")).await;
        watcher.subscribe("will/topic", 1).await;
        RawClient::connect(&broker, &clean_connect(version, "device").with_will("will/topic", "disconnected"))
            .await
            .drop_connection()
            .await;
        assert_eq!(watcher.receive_publish().await.payload, "disconnected");
        let published = tapped(&mut tap);
        assert!(published[0].last_will);
        assert_eq!(published[0].publisher.client_id.as_deref(), Some("device"));
    }
}

#[tokio::test]
async fn disconnect_discards_the_will_unless_mqtt_5_requests_it() {
    let (broker, _) = broker();
    let mut tap = broker.tap();
    RawClient::connect(&broker, &clean_connect(V311, "a").with_will("will/topic", "a")).await.disconnect().await;
    RawClient::connect(&broker, &clean_connect(V5, "b").with_will("will/topic", "b")).await.disconnect().await;
    assert!(tapped(&mut tap).is_empty());
    let mut client = RawClient::connect(&broker, &clean_connect(V5, "c").with_will("will/topic", "c")).await;
    client.send(&[0xE0, 1, 4]).await;
    assert_eq!(client.expect_disconnect().await, None);
    assert_eq!(tapped(&mut tap).len(), 1);
}

#[tokio::test]
async fn takeover_and_errors_publish_the_will() {
    let (broker, _) = broker();
    let mut tap = broker.tap();
    let mut first = RawClient::connect(&broker, &clean_connect(V311, "device").with_will("will/topic", "1")).await;
    let mut second = RawClient::connect(&broker, &clean_connect(V311, "device").with_will("will/topic", "2")).await;
    first.expect_disconnect().await;
    second.send_publish("a/#", b"x", 0, &[]).await;
    second.expect_disconnect().await;
    let payloads: Vec<_> = tapped(&mut tap).into_iter().map(|published| published.message.payload).collect();
    assert_eq!(payloads, ["1", "2"]);
}

#[tokio::test(start_paused = true)]
async fn silent_client_is_disconnected_after_one_and_a_half_keep_alives() {
    for (version, requested, seconds, reason) in
        [(V311, 6, 45, None), (V5, 6, 45, Some(0x8D)), (V311, 38, 57, None), (V5, 38, 57, Some(0x8D))]
    {
        let (broker, _) = broker();
        let mut tap = broker.tap();
        let connect = clean_connect(version, "device").with_will("will/topic", "disconnected");
        let connect = ConnectPacket { keep_alive_s: requested, ..connect };
        let mut client = RawClient::connect(&broker, &connect).await;
        let start = Instant::now();
        assert_eq!(client.expect_disconnect().await, reason);
        assert_eq!(start.elapsed().as_secs(), seconds);
        assert!(tapped(&mut tap)[0].last_will);
        let reason = broker.connection("device").and_then(|connection| connection.disconnect_reason);
        assert_eq!(reason, Some("MQTT_KEEP_ALIVE_TIMEOUT"));
    }
}

#[tokio::test]
async fn delete_connection_may_prevent_the_will() {
    let (broker, _) = broker();
    let mut tap = broker.tap();
    for (id, prevent) in [("a", true), ("b", false)] {
        let mut client = RawClient::connect(&broker, &clean_connect(V311, id).with_will("will/topic", id)).await;
        assert!(broker.disconnect(id, false, prevent));
        client.expect_disconnect().await;
    }
    let published = tapped(&mut tap);
    assert_eq!((published.len(), published[0].message.payload.as_ref()), (1, &b"b"[..]));
}

#[tokio::test]
async fn will_may_be_retained_and_must_be_authorized() {
    let (broker, _) = broker();
    let mut connect = clean_connect(V311, "device").with_will("will/topic", "disconnected");
    connect.will.as_mut().expect("a will").retain = true;
    RawClient::connect(&broker, &connect).await.drop_connection().await;
    assert!(broker.retained("will/topic").is_some());
    let broker = broker_denying("iot:Publish", "will/topic");
    let mut tap = broker.tap();
    RawClient::connect(&broker, &connect).await.drop_connection().await;
    assert!(tapped(&mut tap).is_empty());
}
