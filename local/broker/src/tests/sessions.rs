//! Persistent sessions: what is kept, for how long, in which order.

use std::time::Duration;

use super::broker;
use super::wire::{Hello, Wire, hello, persistent};
use crate::Message;
use crate::codec::Version::{V5, V311};

#[tokio::test]
async fn qos_1_messages_wait_in_order_for_a_persistent_session() {
    for version in [V311, V5] {
        let (broker, _) = broker();
        let (mut device, present) = Wire::resume(&broker, &persistent(version, "device")).await;
        assert!(!present);
        device.subscribe_with(&[("one/+", 1), ("zero", 0)], &[]).await;
        device.leave().await;
        for number in 0..500 {
            broker.publish(Message::new(format!("one/{number}"), "x")).expect("published");
        }
        broker.publish(Message { qos: 0, ..Message::new("one/none", "x") }).expect("published");
        broker.publish(Message::new("zero", "x")).expect("published");
        let (mut device, present) = Wire::resume(&broker, &persistent(version, "device")).await;
        assert!(present);
        for number in 0..500 {
            let got = device.got().await;
            assert_eq!((got.topic, got.qos, got.duplicate), (format!("one/{number}"), 1, false));
            device.ack(got.packet_id).await;
        }
        device.nothing_more().await;
    }
}

#[tokio::test]
async fn a_session_ends_after_its_time() {
    let (broker, clock) = broker();
    let short = Hello { properties: vec![0x11, 0, 0, 0, 60], ..persistent(V5, "five") };
    Wire::connect(&broker, &persistent(V311, "three")).await.leave().await;
    Wire::connect(&broker, &short).await.leave().await;
    clock.advance(Duration::from_secs(59));
    assert!(broker.subscriptions("five").is_some());
    clock.advance(Duration::from_secs(1));
    assert!(broker.subscriptions("five").is_none());
    assert!(!Wire::resume(&broker, &short).await.1);
    clock.advance(Duration::from_secs(3_539));
    assert!(Wire::resume(&broker, &persistent(V311, "three")).await.1);
    let _ = broker.disconnect("three", false, false);
    clock.advance(Duration::from_secs(3_600));
    assert!(!Wire::resume(&broker, &persistent(V311, "three")).await.1);
}

#[tokio::test]
async fn an_expired_session_gets_no_messages_and_keeps_no_subscriptions() {
    let (broker, clock) = broker();
    let mut device = Wire::connect(&broker, &persistent(V311, "device")).await;
    device.subscribe("t", 1).await;
    device.leave().await;
    broker.publish(Message::new("t", "stored, then discarded")).expect("published");
    clock.advance(Duration::from_secs(3_600));
    let (mut device, present) = Wire::resume(&broker, &persistent(V311, "device")).await;
    assert!(!present);
    broker.publish(Message::new("t", "x")).expect("published");
    device.nothing_more().await;
}

#[tokio::test]
async fn a_clean_start_drops_the_old_session() {
    let (broker, _) = broker();
    let mut device = Wire::connect(&broker, &persistent(V311, "device")).await;
    device.subscribe("t", 1).await;
    device.leave().await;
    broker.publish(Message::new("t", "x")).expect("published");
    let (mut device, present) = Wire::resume(&broker, &hello(V311, "device")).await;
    assert!(!present);
    broker.publish(Message::new("t", "x")).expect("published");
    device.nothing_more().await;
    device.leave().await;
    assert!(broker.subscriptions("device").is_none());
    assert!(!Wire::resume(&broker, &persistent(V311, "device")).await.1);
}

#[tokio::test]
async fn what_was_not_acknowledged_comes_again_first_and_marked() {
    let (broker, _) = broker();
    let mut device = Wire::connect(&broker, &persistent(V311, "device")).await;
    device.subscribe("t", 1).await;
    for payload in ["0", "1", "2"] {
        broker.publish(Message::new("t", payload)).expect("published");
    }
    let first = [device.got().await, device.got().await, device.got().await];
    device.ack(first[1].packet_id).await;
    device.nothing_more().await;
    device.vanish().await;
    broker.publish(Message::new("t", "3")).expect("published");
    let (mut device, _) = Wire::resume(&broker, &persistent(V311, "device")).await;
    for (payload, duplicate, before) in [("0", true, Some(&first[0])), ("2", true, Some(&first[2])), ("3", false, None)]
    {
        let got = device.got().await;
        assert_eq!((got.payload.as_str(), got.duplicate), (payload, duplicate));
        assert_eq!(before.map_or(got.packet_id, |before| before.packet_id), got.packet_id);
        device.ack(got.packet_id).await;
    }
    device.nothing_more().await;
}

#[tokio::test]
async fn messages_expire_while_they_wait_and_carry_what_is_left() {
    let (broker, clock) = broker();
    let mut device = Wire::connect(&broker, &persistent(V5, "device")).await;
    device.subscribe("t", 1).await;
    device.leave().await;
    let mut teller = Wire::connect(&broker, &hello(V5, "teller")).await;
    for (payload, seconds) in [("short", 30), ("long", 300)] {
        teller.say("t", payload.as_bytes(), 2, &[&[0x02, 0, 0][..], &u16::to_be_bytes(seconds)].concat()).await;
        teller.next().await;
    }
    clock.advance(Duration::from_millis(30_500));
    let mut device = Wire::connect(&broker, &persistent(V5, "device")).await;
    let got = device.got().await;
    assert_eq!((got.payload.as_str(), got.properties.as_slice()), ("long", &[0x02, 0, 0, 1, 14][..]));
}

#[tokio::test]
async fn mqtt_5_clients_may_shorten_their_session_when_they_leave() {
    let (broker, _) = broker();
    let mut device = Wire::connect(&broker, &persistent(V5, "device")).await;
    device.send(&[0xE0, 7, 0, 5, 0x11, 0, 0, 0, 0]).await;
    assert_eq!(device.hung_up().await, None);
    assert!(broker.subscriptions("device").is_none());
    let mut device = Wire::connect(&broker, &hello(V5, "device")).await;
    device.send(&[0xE0, 7, 0, 5, 0x11, 0, 0, 14, 16]).await;
    assert_eq!(device.hung_up().await, None);
    assert!(broker.subscriptions("device").is_none(), "none cannot become one");
}

#[tokio::test]
async fn the_newer_connection_wins() {
    let (broker, _) = broker();
    let mut first = Wire::connect(&broker, &persistent(V5, "device")).await;
    first.subscribe("t", 1).await;
    let (mut second, present) = Wire::resume(&broker, &persistent(V5, "device")).await;
    assert!(present);
    assert_eq!(first.hung_up().await, Some(0x8E));
    broker.publish(Message::new("t", "x")).expect("published");
    assert_eq!(second.got().await.payload, "x");
}
