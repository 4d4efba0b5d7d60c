//! Protocol errors: packets that close the connection, and requests refused without closing it.

use proptest::prelude::*;

use super::raw_client::{ConnectPacket, RawClient, clean_connect, encode_packet, encode_string, persistent_connect};
use super::{broker, broker_denying, tapped};
use crate::codec::Version::{V5, V311};
use crate::codec::decode;

#[tokio::test]
async fn publish_to_illegal_topic_closes_the_connection() {
    let (broker, _) = broker();
    let mut tap = broker.tap();
    for topic in ["a/#", "a/+/b", "", "1/2/3/4/5/6/7/8/9", "$aws/things/t/shadow/update/accepted", "$SYS/x"] {
        let mut old = RawClient::connect(&broker, &clean_connect(V311, "old")).await;
        old.send_publish(topic, b"x", 2, &[]).await;
        assert_eq!(old.next().await, None, "{topic}");
        let reason = if topic.starts_with('$') { 0x87 } else { 0x90 };
        let mut new = RawClient::connect(&broker, &clean_connect(V5, "new")).await;
        new.send_publish(topic, b"x", 2, &[]).await;
        assert_eq!(new.next().await, Some((0x40, vec![0, 5, reason])), "{topic}");
        assert_eq!(new.expect_disconnect().await, Some(reason), "{topic}");
    }
    assert!(tapped(&mut tap).is_empty());
}

#[tokio::test]
async fn message_larger_than_128_kib_closes_the_connection() {
    let (broker, _) = broker();
    let mut tap = broker.tap();
    let largest = vec![b'x'; 131_072];
    let mut old = RawClient::connect(&broker, &clean_connect(V311, "old")).await;
    old.send_publish("t", &largest, 0, &[]).await;
    old.expect_nothing_more().await;
    old.send_publish("t", &[&largest[..], b"x"].concat(), 0, &[]).await;
    assert_eq!(old.expect_disconnect().await, None);
    // MQTT 5 properties count against the limit.
    let mut new = RawClient::connect(&broker, &clean_connect(V5, "new")).await;
    new.send_publish("t", &largest[..131_067], 0, &[0x02, 0, 0, 0, 9]).await;
    new.expect_nothing_more().await;
    new.send_publish("t", &largest[..131_068], 0, &[0x02, 0, 0, 0, 9]).await;
    assert_eq!(new.expect_disconnect().await, Some(0x95));
    assert_eq!(tapped(&mut tap).len(), 2);
}

#[tokio::test]
async fn qos_2_is_not_supported() {
    let (broker, _) = broker();
    for (version, reason) in [(V311, None), (V5, Some(0x9B))] {
        let mut client = RawClient::connect(&broker, &clean_connect(version, "a")).await;
        client.send(&client.subscription(&[("t", 2)], &[])).await;
        client.expect_nothing_more().await;
        assert_eq!(broker.subscriptions("a"), Some(Vec::new()));
        client.send_publish("t", b"x", 4, &[]).await;
        assert_eq!(client.expect_disconnect().await, reason);
    }
}

#[tokio::test]
async fn retained_publish_to_reserved_topic_closes_the_connection() {
    let (broker, _) = broker();
    let mut client = RawClient::connect(&broker, &clean_connect(V5, "a")).await;
    client.send_publish("$aws/things/t/shadow/update", b"{}", 3, &[]).await;
    assert_eq!(client.expect_disconnect().await, Some(0x9A));
}

#[tokio::test]
async fn unauthorized_publish_closes_the_connection() {
    for action in ["iot:Publish", "iot:RetainPublish"] {
        let broker = broker_denying(action, "secret");
        let flags = if action == "iot:Publish" { 2 } else { 3 };
        let mut old = RawClient::connect(&broker, &clean_connect(V311, "old")).await;
        old.send_publish("secret", b"x", flags, &[]).await;
        assert_eq!(old.next().await, None);
        let mut new = RawClient::connect(&broker, &clean_connect(V5, "new")).await;
        new.send_publish("secret", b"x", flags, &[]).await;
        assert_eq!(new.next().await, Some((0x40, vec![0, 5, 0x87])));
        assert_eq!(new.expect_disconnect().await, Some(0x87));
    }
}

#[tokio::test]
async fn unauthorized_subscription_fails_and_unauthorized_message_is_not_delivered() {
    let broker = broker_denying("iot:Subscribe", "secret");
    assert_eq!(RawClient::connect(&broker, &clean_connect(V311, "a")).await.subscribe("secret", 0).await, [0x80]);
    let mut new = RawClient::connect(&broker, &clean_connect(V5, "b")).await;
    assert_eq!(new.subscribe_with(&[("secret", 1), ("open", 1)], &[]).await, [0x87, 1]);

    let broker = broker_denying("iot:Receive", "secret");
    let mut client = RawClient::connect(&broker, &clean_connect(V311, "a")).await;
    assert_eq!(client.subscribe("#", 0).await, [0]);
    let mut other = RawClient::connect(&broker, &clean_connect(V311, "b")).await;
    other.publish("secret", "x").await;
    other.publish("open", "y").await;
    assert_eq!(client.receive_publish().await.topic, "open");
}

#[tokio::test]
async fn basic_ingest_cannot_be_subscribed_to() {
    let (broker, _) = broker();
    assert_eq!(
        RawClient::connect(&broker, &clean_connect(V311, "a")).await.subscribe("$aws/rules/r/#", 0).await,
        [0x80]
    );
    assert_eq!(RawClient::connect(&broker, &clean_connect(V5, "b")).await.subscribe("$aws/rules/r/#", 0).await, [0x8F]);
}

#[tokio::test]
async fn invalid_or_too_many_filters_close_the_connection() {
    let (broker, _) = broker();
    let nine: Vec<(&str, u8)> = ["a", "b", "c", "d", "e", "f", "g", "h", "i"].map(|filter| (filter, 0)).to_vec();
    for (filters, reason) in [(&[("a/#/b", 0)][..], 0x8F), (&nine, 0x97)] {
        for (version, disconnect_reason) in [(V311, None), (V5, Some(reason))] {
            let mut client = RawClient::connect(&broker, &clean_connect(version, "a")).await;
            client.send(&client.subscription(filters, &[])).await;
            assert_eq!(client.expect_disconnect().await, disconnect_reason);
        }
    }
}

#[tokio::test]
async fn a_connection_has_at_most_50_subscriptions() {
    let (broker, _) = broker();
    let mut client = RawClient::connect(&broker, &persistent_connect(V5, "a")).await;
    for number in 0..50 {
        assert_eq!(client.subscribe(&format!("t/{number}"), 1).await, [1]);
    }
    assert_eq!(client.subscribe("t/7", 0).await, [0], "renewing a subscription adds none");
    assert_eq!(client.subscribe("t/50", 1).await, [0x97]);
    assert_eq!(client.expect_disconnect().await, Some(0x97));
    assert_eq!(broker.subscriptions("a").map(|all| all.len()), Some(50));
}

#[tokio::test]
async fn malformed_packet_closes_only_its_own_connection() {
    let (broker, _) = broker();
    let mut bystander = RawClient::connect(&broker, &clean_connect(V311, "bystander")).await;
    let oversized = [0x30, 0xFF, 0xFF, 0xFF, 0x7F];
    let endless = [0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x01];
    let second_connect = clean_connect(V311, "a").bytes();
    let no_topic = encode_packet(0x82, &[0, 1]);
    let packet_id_0 = encode_packet(0x32, &[encode_string("t"), vec![0, 0]].concat());
    let not_text = encode_packet(0x30, &[0, 1, 0xFF]);
    let truncated = encode_packet(0x30, &[0, 9, b'x']);
    let qos_3 = encode_packet(0x36, &[encode_string("t"), vec![0, 1]].concat());
    let all: [&[u8]; 12] = [
        &oversized,
        &endless,
        &second_connect,
        &no_topic,
        &packet_id_0,
        &not_text,
        &truncated,
        &qos_3,
        &[0x00, 0],
        &[0xF0, 0],
        &[0x80, 0],
        &[0x20, 2, 0, 0],
    ];
    for bytes in all {
        if bytes != second_connect {
            let mut first = RawClient::open(&broker);
            first.send(bytes).await;
            assert_eq!(first.next().await, None, "{bytes:x?} as the first bytes");
        }
        let mut old = RawClient::connect(&broker, &clean_connect(V311, "a")).await;
        old.send(bytes).await;
        assert_eq!(old.expect_disconnect().await, None, "{bytes:x?}");
        let mut new = RawClient::connect(&broker, &clean_connect(V5, "b")).await;
        new.send(bytes).await;
        assert!(new.expect_disconnect().await.is_some_and(|reason| reason >= 0x80), "{bytes:x?}");
    }
    bystander.expect_nothing_more().await;
}

#[tokio::test]
async fn wildcard_response_topic_is_refused() {
    let (broker, _) = broker();
    let mut client = RawClient::connect(&broker, &clean_connect(V5, "a")).await;
    client.send_publish("t", b"x", 0, &[vec![0x08], encode_string("a/#")].concat()).await;
    assert_eq!(client.expect_disconnect().await, Some(0x82));
}

#[tokio::test]
async fn subscription_identifier_closes_the_connection() {
    let (broker, _) = broker();
    let mut client = RawClient::connect(&broker, &clean_connect(V5, "a")).await;
    client.send(&client.subscription(&[("t", 1)], &[0x0B, 1])).await;
    assert_eq!(client.expect_disconnect().await, Some(0xA1));
}

#[tokio::test]
async fn connect_with_unpublishable_will_is_refused() {
    let (broker, _) = broker();
    for topic in ["a/#", "$aws/events/presence/connected/a"] {
        let connect = clean_connect(V5, "a").with_will(topic, "x");
        assert_eq!(RawClient::open(&broker).send_connect(&connect).await, [0, 0x90, 0]);
        let mut old = RawClient::open(&broker);
        old.send(&ConnectPacket { version: V311, ..connect }.bytes()).await;
        assert_eq!(old.next().await, None);
    }
}

proptest! {
    #[test]
    fn decoding_never_panics(first: u8, body in proptest::collection::vec(any::<u8>(), 0..200)) {
        for version in [V311, V5] {
            let _ = decode(first, &body, version);
        }
    }

    #[test]
    fn decoding_damaged_packets_never_panics(at in 0usize..80, byte: u8, cut in 0usize..80) {
        let connect = ConnectPacket { user: Some("me"), ..persistent_connect(V5, "id").with_will("w", "gone") };
        let mut bytes = connect.bytes();
        if let Some(damaged) = bytes.get_mut(at) {
            *damaged = byte;
        }
        bytes.truncate(bytes.len().saturating_sub(cut).max(2));
        let _ = decode(bytes[0], &bytes[2..], V5);
    }
}
