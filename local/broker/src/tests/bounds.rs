//! Slow and busy clients.

use std::sync::Arc;

use super::broker;
use super::wire::{Hello, Wire, hello, persistent};
use crate::codec::Version::{V5, V311};
use crate::{DirectError, Message, Properties, limits};

#[tokio::test]
async fn at_most_a_window_of_messages_is_unacknowledged() {
    for (hello, window) in
        [(hello(V311, "a"), 100), (Hello { properties: vec![0x21, 0, 2], ..hello(V5, "a") }, 2), (hello(V5, "a"), 100)]
    {
        let (broker, _) = broker();
        let mut wire = Wire::connect(&broker, &hello).await;
        wire.subscribe("t", 1).await;
        for number in 0..150 {
            broker.publish(Message::new("t", number.to_string())).expect("published");
        }
        let mut unacknowledged = std::collections::VecDeque::new();
        for number in 0..window {
            let got = wire.got().await;
            assert_eq!(got.payload, number.to_string());
            unacknowledged.push_back(got.packet_id);
        }
        wire.nothing_more().await;
        for number in window..150 {
            wire.ack(unacknowledged.pop_front().expect("one")).await;
            let got = wire.got().await;
            assert_eq!(got.payload, number.to_string());
            assert!(!unacknowledged.contains(&got.packet_id));
            unacknowledged.push_back(got.packet_id);
        }
        wire.nothing_more().await;
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_stops_nobody_and_loses_only_qos_0() {
    let (broker, _) = broker();
    let mut slow = Wire::connect(&broker, &hello(V311, "slow")).await;
    slow.subscribe("t", 1).await;
    let mut quick = Wire::connect(&broker, &hello(V311, "quick")).await;
    quick.subscribe("t", 1).await;
    let large = "x".repeat(100_000);
    for _ in 0..100 {
        broker.publish(Message { qos: 0, ..Message::new("t", large.clone()) }).expect("published");
        assert_eq!(quick.got().await.qos, 0);
    }
    broker.publish(Message::new("t", "last")).expect("published");
    assert_eq!(quick.got().await.payload, "last");
    let mut read = 0;
    while slow.got().await.payload != "last" {
        read += 1;
    }
    assert!((1..100).contains(&read), "{read} of 100");
}

#[tokio::test]
async fn the_queue_of_a_session_is_bounded() {
    let (broker, _) = broker();
    let mut wire = Wire::connect(&broker, &persistent(V311, "a")).await;
    wire.subscribe("t", 1).await;
    wire.leave().await;
    for number in 0..limits::QUEUED_MESSAGES + 10 {
        broker.publish(Message::new("t", number.to_string())).expect("published");
    }
    let mut wire = Wire::connect(&broker, &persistent(V311, "a")).await;
    for number in 0..limits::QUEUED_MESSAGES {
        let got = wire.got().await;
        assert_eq!(got.payload, number.to_string());
        wire.ack(got.packet_id).await;
    }
    wire.nothing_more().await;
}

#[tokio::test]
async fn a_connection_whose_task_is_dropped_is_gone() {
    let (broker, _) = broker();
    let (client, server) = tokio::io::duplex(1_024);
    let serving = tokio::spawn({
        let broker = broker.clone();
        async move { broker.serve(server, super::super::Peer::default()).await }
    });
    let (mut reader, mut writer) = tokio::io::split(client);
    tokio::io::AsyncWriteExt::write_all(&mut writer, &hello(V311, "a").bytes()).await.expect("written");
    tokio::io::AsyncReadExt::read_u32(&mut reader).await.expect("CONNACK");
    assert!(broker.connection("a").is_some_and(|connection| connection.connected));
    serving.abort();
    assert!(serving.await.is_err_and(|error| error.is_cancelled()));
    assert!(broker.connection("a").is_some_and(|connection| !connection.connected));
}

#[tokio::test]
async fn a_thousand_clients_hear_one_another() {
    let (broker, _) = broker();
    let barrier = Arc::new(tokio::sync::Barrier::new(1_000));
    let clients: Vec<_> = (0..1_000)
        .map(|number| {
            let (broker, barrier) = (broker.clone(), barrier.clone());
            tokio::spawn(async move {
                let mut wire = Wire::connect(&broker, &hello(V311, &format!("c{number}"))).await;
                wire.subscribe(&format!("to/{number}"), 1).await;
                barrier.wait().await;
                wire.say(&format!("to/{}", (number + 1) % 1_000), b"x", 2, &[]).await;
                let packets = [wire.next().await.expect("open").0, wire.next().await.expect("open").0];
                assert!(packets.contains(&0x32) && packets.contains(&0x40), "{packets:x?}");
            })
        })
        .collect();
    for client in clients {
        client.await.expect("no panic");
    }
}

#[tokio::test]
async fn a_property_that_mqtt_cannot_say_is_refused() {
    let (broker, _) = broker();
    let mut device = Wire::connect(&broker, &hello(V5, "device")).await;
    device.subscribe("t", 0).await;
    let long = "x".repeat(65_536);
    let with = |change: &dyn Fn(&mut Properties)| {
        let mut message = Message::new("t", "");
        change(&mut message.properties);
        message
    };
    for message in [
        // In UTF-8 every one of these bytes continues a character.
        with(&|properties| properties.correlation_data = Some(vec![0x80; 65_536].into())),
        with(&|properties| properties.content_type = Some(long.clone())),
        with(&|properties| properties.response_topic = Some(long.clone())),
        with(&|properties| properties.user.push((long.clone(), String::new()))),
        with(&|properties| properties.user.push((String::new(), long.clone()))),
    ] {
        assert!(broker.publish(message.clone()).is_err());
        assert!(matches!(broker.send_direct("device", message, None).await, Err(DirectError::Message(_))));
    }
    let most = with(&|properties| properties.correlation_data = Some(vec![0x80; 65_535].into()));
    broker.publish(most).expect("MQTT can say it");
    assert_eq!(device.got().await.topic, "t");
}
