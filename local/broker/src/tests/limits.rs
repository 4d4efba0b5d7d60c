//! Limits: in-flight window, outbox and queue of slow clients, many clients, property lengths.

use std::sync::Arc;

use super::broker;
use super::raw_client::{ConnectPacket, RawClient, clean_connect, persistent_connect};
use crate::codec::Version::{V5, V311};
use crate::{DirectError, Message, Properties, limits};

#[tokio::test]
async fn unacknowledged_messages_never_exceed_the_window() {
    for (connect, window) in [
        (clean_connect(V311, "a"), 100),
        (ConnectPacket { properties: vec![0x21, 0, 2], ..clean_connect(V5, "a") }, 2),
        (clean_connect(V5, "a"), 100),
    ] {
        let (broker, _) = broker();
        let mut client = RawClient::connect(&broker, &connect).await;
        client.subscribe("t", 1).await;
        for number in 0..150 {
            broker.publish(Message::new("t", number.to_string())).expect("published");
        }
        let mut unacknowledged = std::collections::VecDeque::new();
        for number in 0..window {
            let received = client.receive_publish().await;
            assert_eq!(received.payload, number.to_string());
            unacknowledged.push_back(received.packet_id);
        }
        client.expect_nothing_more().await;
        for number in window..150 {
            client.send_puback(unacknowledged.pop_front().expect("a message in flight")).await;
            let received = client.receive_publish().await;
            assert_eq!(received.payload, number.to_string());
            assert!(!unacknowledged.contains(&received.packet_id));
            unacknowledged.push_back(received.packet_id);
        }
        client.expect_nothing_more().await;
    }
}

#[tokio::test]
async fn slow_client_loses_only_qos_0_and_does_not_block_other_clients() {
    let (broker, _) = broker();
    let mut slow = RawClient::connect(&broker, &clean_connect(V311, "slow")).await;
    slow.subscribe("t", 1).await;
    let mut quick = RawClient::connect(&broker, &clean_connect(V311, "quick")).await;
    quick.subscribe("t", 1).await;
    let large = "x".repeat(100_000);
    for _ in 0..100 {
        broker.publish(Message { qos: 0, ..Message::new("t", large.clone()) }).expect("published");
        assert_eq!(quick.receive_publish().await.qos, 0);
    }
    broker.publish(Message::new("t", "last")).expect("published");
    assert_eq!(quick.receive_publish().await.payload, "last");
    let mut read = 0;
    while slow.receive_publish().await.payload != "last" {
        read += 1;
    }
    assert!((1..100).contains(&read), "{read} of 100");
}

#[tokio::test]
async fn session_queue_is_bounded() {
    let (broker, _) = broker();
    let mut client = RawClient::connect(&broker, &persistent_connect(V311, "a")).await;
    client.subscribe("t", 1).await;
    client.disconnect().await;
    for number in 0..limits::MAX_QUEUED_MESSAGES + 10 {
        broker.publish(Message::new("t", number.to_string())).expect("published");
    }
    let mut client = RawClient::connect(&broker, &persistent_connect(V311, "a")).await;
    for number in 0..limits::MAX_QUEUED_MESSAGES {
        let received = client.receive_publish().await;
        assert_eq!(received.payload, number.to_string());
        client.send_puback(received.packet_id).await;
    }
    client.expect_nothing_more().await;
}

#[tokio::test]
async fn dropped_connection_task_disconnects_the_client() {
    let (broker, _) = broker();
    let (client, server) = tokio::io::duplex(1_024);
    let serving = tokio::spawn({
        let broker = broker.clone();
        async move { broker.serve(server, super::super::Peer::default()).await }
    });
    let (mut reader, mut writer) = tokio::io::split(client);
    tokio::io::AsyncWriteExt::write_all(&mut writer, &clean_connect(V311, "a").bytes()).await.expect("written");
    tokio::io::AsyncReadExt::read_u32(&mut reader).await.expect("CONNACK");
    assert!(broker.connection("a").is_some_and(|connection| connection.connected));
    serving.abort();
    assert!(serving.await.is_err_and(|error| error.is_cancelled()));
    assert!(broker.connection("a").is_some_and(|connection| !connection.connected));
}

#[tokio::test]
async fn a_thousand_clients_exchange_messages() {
    let (broker, _) = broker();
    let barrier = Arc::new(tokio::sync::Barrier::new(1_000));
    let clients: Vec<_> = (0..1_000)
        .map(|number| {
            let (broker, barrier) = (broker.clone(), barrier.clone());
            tokio::spawn(async move {
                let mut client = RawClient::connect(&broker, &clean_connect(V311, &format!("c{number}"))).await;
                client.subscribe(&format!("to/{number}"), 1).await;
                barrier.wait().await;
                client.send_publish(&format!("to/{}", (number + 1) % 1_000), b"x", 2, &[]).await;
                let packets = [client.next().await.expect("open").0, client.next().await.expect("open").0];
                assert!(packets.contains(&0x32) && packets.contains(&0x40), "{packets:x?}");
            })
        })
        .collect();
    for client in clients {
        client.await.expect("no panic");
    }
}

#[tokio::test]
async fn property_longer_than_65535_bytes_is_refused() {
    let (broker, _) = broker();
    let mut device = RawClient::connect(&broker, &clean_connect(V5, "device")).await;
    device.subscribe("t", 0).await;
    let long = "x".repeat(65_536);
    let with = |change: &dyn Fn(&mut Properties)| {
        let mut message = Message::new("t", "");
        change(&mut message.properties);
        message
    };
    for message in [
        // 0x80 is a UTF-8 continuation byte: correlation data need not be text.
        with(&|properties| properties.correlation_data = Some(vec![0x80; 65_536].into())),
        with(&|properties| properties.content_type = Some(long.clone())),
        with(&|properties| properties.response_topic = Some(long.clone())),
        with(&|properties| properties.user.push((long.clone(), String::new()))),
        with(&|properties| properties.user.push((String::new(), long.clone()))),
    ] {
        assert!(broker.publish(message.clone()).is_err());
        assert!(matches!(broker.send_direct("device", message, None).await, Err(DirectError::Message(_))));
    }
    let largest = with(&|properties| properties.correlation_data = Some(vec![0x80; 65_535].into()));
    broker.publish(largest).expect("65535 bytes are allowed");
    assert_eq!(device.receive_publish().await.topic, "t");
}
