//! QoS 1 messages that a client does not acknowledge on its open connection.

use std::time::Duration;

use super::broker;
use super::raw_client::{ConnectPacket, RawClient, clean_connect, persistent_connect};
use crate::Message;
use crate::codec::Version::{V5, V311};

const INTERVAL: Duration = Duration::from_secs(30);

#[tokio::test]
async fn unacknowledged_message_comes_again_every_30_seconds() {
    for version in [V311, V5] {
        let (broker, clock) = broker();
        let mut client = RawClient::connect(&broker, &clean_connect(version, "a")).await;
        client.subscribe("t", 1).await;
        broker.publish(Message::new("t", "x")).expect("published");
        let first = client.receive_publish().await;
        assert!(!first.duplicate);
        clock.advance(INTERVAL - Duration::from_millis(1));
        client.expect_nothing_more().await;
        clock.advance(Duration::from_millis(1));
        for _ in 0..2 {
            let again = client.receive_publish().await;
            assert_eq!((again.packet_id, again.duplicate), (first.packet_id, true));
            assert_eq!((again.payload.as_str(), again.qos), ("x", 1));
            clock.advance(INTERVAL);
        }
        assert!(client.receive_publish().await.duplicate);
        client.send_puback(first.packet_id).await;
        client.expect_nothing_more().await;
        clock.advance(INTERVAL);
        client.expect_nothing_more().await;
        assert!(broker.unacknowledged().is_empty());
    }
}

#[tokio::test]
async fn unacknowledged_message_is_dropped_after_an_hour() {
    let (broker, clock) = broker();
    let connect = ConnectPacket { properties: vec![0x21, 0, 1, 0x11, 0, 0, 14, 16], ..persistent_connect(V5, "a") };
    let mut client = RawClient::connect(&broker, &connect).await;
    client.subscribe("t", 1).await;
    broker.publish(Message::new("t", "never acknowledged")).expect("published");
    broker.publish(Message::new("t", "behind it")).expect("published");
    assert!(!client.receive_publish().await.duplicate);
    for _ in 1..120 {
        clock.advance(INTERVAL);
        let again = client.receive_publish().await;
        assert_eq!((again.payload.as_str(), again.duplicate), ("never acknowledged", true));
    }
    clock.advance(INTERVAL);
    let next = client.receive_publish().await;
    assert_eq!((next.payload.as_str(), next.duplicate), ("behind it", false));
    client.send_puback(next.packet_id).await;
    client.drop_connection().await;
    RawClient::connect(&broker, &connect).await.expect_nothing_more().await;
}

#[tokio::test]
async fn expired_message_does_not_come_again() {
    let (broker, clock) = broker();
    let mut client = RawClient::connect(&broker, &clean_connect(V5, "a")).await;
    client.subscribe("t", 1).await;
    for (payload, seconds) in [("short", 30), ("long", 45)] {
        let mut message = Message::new("t", payload);
        message.properties.message_expiry_s = Some(seconds);
        broker.publish(message).expect("published");
        client.receive_publish().await;
    }
    clock.advance(INTERVAL);
    let again = client.receive_publish().await;
    assert_eq!((again.payload.as_str(), again.properties.as_slice()), ("long", &[0x02, 0, 0, 0, 15][..]));
    client.expect_nothing_more().await;
}

#[tokio::test]
async fn messages_that_come_again_keep_their_order_and_their_places_in_the_window() {
    let (broker, clock) = broker();
    let connect = ConnectPacket { properties: vec![0x21, 0, 2], ..clean_connect(V5, "a") };
    let mut client = RawClient::connect(&broker, &connect).await;
    client.subscribe("t", 1).await;
    for payload in ["0", "1", "2"] {
        broker.publish(Message::new("t", payload)).expect("published");
    }
    client.receive_publish().await;
    let second = client.receive_publish().await;
    clock.advance(INTERVAL);
    for payload in ["0", "1"] {
        assert_eq!(client.receive_publish().await.payload, payload);
    }
    client.expect_nothing_more().await;
    client.send_puback(second.packet_id).await;
    assert_eq!(client.receive_publish().await.payload, "2");
}

#[tokio::test]
async fn direct_and_qos_0_messages_do_not_come_again() {
    let (broker, clock) = broker();
    let mut client = RawClient::connect(&broker, &clean_connect(V311, "a")).await;
    client.subscribe("t", 1).await;
    broker.publish(Message { qos: 0, ..Message::new("t", "x") }).expect("published");
    client.receive_publish().await;
    let confirm = Some(Duration::from_secs(3_600));
    let sending = tokio::spawn({
        let broker = broker.clone();
        async move { broker.send_direct("a", Message::new("t", "x"), confirm).await }
    });
    let direct = client.receive_publish().await;
    clock.advance(INTERVAL);
    client.expect_nothing_more().await;
    client.send_puback(direct.packet_id).await;
    sending.await.expect("no panic").expect("acknowledged");
    client.expect_nothing_more().await;
}
