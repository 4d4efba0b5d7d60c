//! Persistent sessions: expiry, queue, redelivery order, takeover.

use std::time::Duration;

use super::broker;
use super::raw_client::{ConnectPacket, RawClient, clean_connect, persistent_connect};
use crate::codec::Version::{V5, V311};
use crate::{Broker, Message};

#[tokio::test]
async fn qos_1_messages_wait_in_order_for_a_persistent_session() {
    for version in [V311, V5] {
        let (broker, _) = broker();
        let (mut device, present) = RawClient::resume(&broker, &persistent_connect(version, "device")).await;
        assert!(!present);
        device.subscribe_with(&[("one/+", 1), ("zero", 0)], &[]).await;
        device.disconnect().await;
        for number in 0..500 {
            broker.publish(Message::new(format!("one/{number}"), "x")).expect("published");
        }
        broker.publish(Message { qos: 0, ..Message::new("one/none", "x") }).expect("published");
        broker.publish(Message::new("zero", "x")).expect("published");
        let (mut device, present) = RawClient::resume(&broker, &persistent_connect(version, "device")).await;
        assert!(present);
        for number in 0..500 {
            let received = device.receive_publish().await;
            assert_eq!((received.topic, received.qos, received.duplicate), (format!("one/{number}"), 1, false));
            device.send_puback(received.packet_id).await;
        }
        device.expect_nothing_more().await;
    }
}

#[tokio::test]
async fn session_ends_after_its_expiry() {
    let (broker, clock) = broker();
    let short = ConnectPacket { properties: vec![0x11, 0, 0, 0, 60], ..persistent_connect(V5, "five") };
    RawClient::connect(&broker, &persistent_connect(V311, "three")).await.disconnect().await;
    RawClient::connect(&broker, &short).await.disconnect().await;
    clock.advance(Duration::from_secs(59));
    assert!(broker.subscriptions("five").is_some());
    clock.advance(Duration::from_secs(1));
    assert!(broker.subscriptions("five").is_none());
    assert!(!RawClient::resume(&broker, &short).await.1);
    clock.advance(Duration::from_secs(3_539));
    assert!(RawClient::resume(&broker, &persistent_connect(V311, "three")).await.1);
    let _ = broker.disconnect("three", false, false);
    clock.advance(Duration::from_secs(3_600));
    assert!(!RawClient::resume(&broker, &persistent_connect(V311, "three")).await.1);
}

#[tokio::test]
async fn an_expired_session_gets_no_messages_and_keeps_no_subscriptions() {
    let (broker, clock) = broker();
    let mut device = RawClient::connect(&broker, &persistent_connect(V311, "device")).await;
    device.subscribe("t", 1).await;
    device.disconnect().await;
    broker.publish(Message::new("t", "stored, then discarded")).expect("published");
    clock.advance(Duration::from_secs(3_600));
    let (mut device, present) = RawClient::resume(&broker, &persistent_connect(V311, "device")).await;
    assert!(!present);
    broker.publish(Message::new("t", "x")).expect("published");
    device.expect_nothing_more().await;
}

#[tokio::test]
async fn a_clean_start_drops_the_old_session() {
    for (before, after) in [(V311, V311), (V5, V5), (V311, V5), (V5, V311)] {
        for is_connected in [false, true] {
            let (broker, _) = broker();
            let mut device = RawClient::connect(&broker, &persistent_connect(before, "device")).await;
            device.subscribe("t", 1).await;
            broker.publish(Message::new("t", "not acknowledged")).expect("published");
            device.receive_publish().await;
            if !is_connected {
                device.disconnect().await;
                broker.publish(Message::new("t", "queued")).expect("published");
            }
            let (mut device, present) = RawClient::resume(&broker, &clean_connect(after, "device")).await;
            assert!(!present);
            broker.publish(Message::new("t", "x")).expect("published");
            device.expect_nothing_more().await;
            device.disconnect().await;
            assert!(broker.subscriptions("device").is_none());
            assert!(!RawClient::resume(&broker, &persistent_connect(before, "device")).await.1);
        }
    }
}

#[tokio::test]
async fn a_clean_start_may_begin_a_session_that_outlives_it() {
    let (broker, _) = broker();
    let clean = ConnectPacket { clean: true, ..persistent_connect(V5, "device") };
    let mut device = RawClient::connect(&broker, &clean).await;
    device.subscribe("old", 1).await;
    device.disconnect().await;
    let (mut device, present) = RawClient::resume(&broker, &clean).await;
    assert!(!present);
    device.subscribe("new", 1).await;
    device.disconnect().await;
    for topic in ["old", "new"] {
        broker.publish(Message::new(topic, "x")).expect("published");
    }
    let (mut device, present) = RawClient::resume(&broker, &persistent_connect(V5, "device")).await;
    assert!(present);
    assert_eq!(device.receive_publish().await.topic, "new");
    device.expect_nothing_more().await;
}

#[tokio::test]
async fn unacknowledged_messages_are_redelivered_first_with_dup_flag() {
    let (broker, _) = broker();
    let mut device = RawClient::connect(&broker, &persistent_connect(V311, "device")).await;
    device.subscribe("t", 1).await;
    for payload in ["0", "1", "2"] {
        broker.publish(Message::new("t", payload)).expect("published");
    }
    let first = [device.receive_publish().await, device.receive_publish().await, device.receive_publish().await];
    device.send_puback(first[1].packet_id).await;
    device.expect_nothing_more().await;
    device.drop_connection().await;
    broker.publish(Message::new("t", "3")).expect("published");
    let (mut device, _) = RawClient::resume(&broker, &persistent_connect(V311, "device")).await;
    for (payload, duplicate, before) in [("0", true, Some(&first[0])), ("2", true, Some(&first[2])), ("3", false, None)]
    {
        let received = device.receive_publish().await;
        assert_eq!((received.payload.as_str(), received.duplicate), (payload, duplicate));
        assert_eq!(before.map_or(received.packet_id, |before| before.packet_id), received.packet_id);
        device.send_puback(received.packet_id).await;
    }
    device.expect_nothing_more().await;
}

#[tokio::test]
async fn queued_messages_expire_and_carry_the_remaining_expiry() {
    let (broker, clock) = broker();
    let mut device = RawClient::connect(&broker, &persistent_connect(V5, "device")).await;
    device.subscribe("t", 1).await;
    device.disconnect().await;
    let mut publisher = RawClient::connect(&broker, &clean_connect(V5, "publisher")).await;
    for (payload, seconds) in [("short", 30), ("long", 300)] {
        publisher
            .send_publish("t", payload.as_bytes(), 2, &[&[0x02, 0, 0][..], &u16::to_be_bytes(seconds)].concat())
            .await;
        publisher.next().await;
    }
    clock.advance(Duration::from_millis(30_500));
    let mut device = RawClient::connect(&broker, &persistent_connect(V5, "device")).await;
    let received = device.receive_publish().await;
    assert_eq!((received.payload.as_str(), received.properties.as_slice()), ("long", &[0x02, 0, 0, 1, 14][..]));
}

#[tokio::test]
async fn mqtt_5_disconnect_may_shorten_the_session_expiry() {
    let (broker, _) = broker();
    let mut device = RawClient::connect(&broker, &persistent_connect(V5, "device")).await;
    device.send(&[0xE0, 7, 0, 5, 0x11, 0, 0, 0, 0]).await;
    assert_eq!(device.expect_disconnect().await, None);
    assert!(broker.subscriptions("device").is_none());
    let mut device = RawClient::connect(&broker, &clean_connect(V5, "device")).await;
    device.send(&[0xE0, 7, 0, 5, 0x11, 0, 0, 14, 16]).await;
    assert_eq!(device.expect_disconnect().await, None);
    assert!(broker.subscriptions("device").is_none(), "an expiry of 0 cannot be raised");
}

#[tokio::test]
async fn newer_connection_takes_over_the_session() {
    let (broker, _) = broker();
    let mut first = RawClient::connect(&broker, &persistent_connect(V5, "device")).await;
    first.subscribe("t", 1).await;
    let (mut second, present) = RawClient::resume(&broker, &persistent_connect(V5, "device")).await;
    assert!(present);
    assert_eq!(first.expect_disconnect().await, Some(0x8E));
    broker.publish(Message::new("t", "x")).expect("published");
    assert_eq!(second.receive_publish().await.payload, "x");
}

#[tokio::test]
async fn session_outlives_the_broker_in_its_saved_state() {
    for version in [V311, V5] {
        let (before, clock) = broker();
        let (mut device, _) = RawClient::resume(&before, &persistent_connect(version, "device")).await;
        device.subscribe_with(&[("one/+", 1), ("$aws/things/t/#", 1)], &[]).await;
        before.publish(Message::new("one/sent", "x")).expect("published");
        let sent = device.receive_publish().await;
        let _clean = RawClient::connect(&before, &clean_connect(version, "clean")).await;
        // The connection is lost with the broker, and one message waits for the next connection besides.
        let away = before.disconnect("device", false, false);
        assert!(away);
        let topic = "$aws/things/t/shadow/update/delta";
        before.publish(Message::new(topic, "y")).expect("published");
        let saved = before.snapshot();

        let after = Broker::new(clock.clone(), None);
        after.restore(&saved);
        after.publish(Message::new("one/later", "z")).expect("published");
        let (mut device, present) = RawClient::resume(&after, &persistent_connect(version, "device")).await;
        assert!(present);
        for (expected, payload, duplicate) in [("one/sent", "x", true), (topic, "y", false), ("one/later", "z", false)]
        {
            let received = device.receive_publish().await;
            assert_eq!((received.topic.as_str(), received.duplicate), (expected, duplicate));
            assert_eq!(received.payload, payload);
            assert!(!duplicate || received.packet_id == sent.packet_id);
            device.send_puback(received.packet_id).await;
        }
        device.expect_nothing_more().await;
        assert!(after.subscriptions("clean").is_none());

        let late = Broker::new(clock.clone(), None);
        clock.advance(Duration::from_secs(3_600));
        late.restore(&saved);
        assert!(late.subscriptions("device").is_none(), "the session has expired meanwhile");
        let unreadable = serde_json::json!({"sessions": [{"client": 7}]});
        late.restore(&unreadable);
    }
}
