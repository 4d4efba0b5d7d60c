//! CONNECT: who is let in and what they are told.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::wire::{Hello, Wire, hello, packet, persistent, string};
use super::{broker, forbidding};
use crate::Peer;
use crate::codec::Version::{V5, V311};

#[tokio::test]
async fn mqtt_5_clients_are_told_the_limits() {
    let (broker, _) = broker();
    let body = Wire::open(&broker).greet(&persistent(V5, "a")).await;
    // Session expiry 3600, receive maximum 100, maximum QoS 1, maximum packet size 149504.
    assert_eq!(body, [0, 0, 15, 0x11, 0, 0, 14, 16, 0x21, 0, 100, 0x24, 1, 0x27, 0, 2, 0x48, 0]);
}

#[tokio::test]
async fn a_long_session_or_none_and_an_odd_keep_alive_are_corrected() {
    let (broker, _) = broker();
    let long = Hello { properties: vec![0x11, 0xFF, 0xFF, 0xFF, 0xFF], keep_alive_s: 0, ..hello(V5, "a") };
    let body = Wire::open(&broker).greet(&long).await;
    assert_eq!(body[3..8], [0x11, 0, 0, 14, 16]);
    assert!(body.ends_with(&[0x13, 4, 0xB0]), "server keep alive 1200: {body:?}");
    assert_eq!(broker.connection("a").map(|connection| connection.keep_alive_s), Some(1_200));
    Wire::open(&broker).greet(&Hello { keep_alive_s: 6, ..hello(V311, "b") }).await;
    assert_eq!(broker.connection("b").map(|connection| connection.keep_alive_s), Some(6));
}

#[tokio::test]
async fn user_names_are_metrics_and_say_nothing() {
    let (broker, _) = broker();
    for version in [V311, V5] {
        let hello = Hello { user: Some("?SDK=Python&Version=1.6.2"), ..hello(version, "a") };
        Wire::connect(&broker, &hello).await.nothing_more().await;
    }
}

#[tokio::test]
async fn an_empty_client_id_gets_a_name_unless_it_wants_a_session() {
    let (broker, _) = broker();
    let body = Wire::open(&broker).greet(&hello(V5, "")).await;
    assert_eq!(body[1], 0);
    let assigned = body.windows(3).position(|w| w == [0x12, 0, 36]).expect("an assigned client identifier");
    let id = std::str::from_utf8(&body[assigned + 3..assigned + 39]).expect("text");
    assert!(broker.connection(id).is_some(), "{id}");
    assert_eq!(Wire::open(&broker).greet(&hello(V311, "")).await, [0, 0]);
    assert_eq!(Wire::open(&broker).greet(&persistent(V311, "")).await, [0, 2]);
}

#[tokio::test]
async fn reserved_and_long_client_ids_are_refused() {
    let (broker, _) = broker();
    for id in ["$internal", &"x".repeat(129)] {
        let mut old = Wire::open(&broker);
        assert_eq!(old.greet(&hello(V311, id)).await, [0, 2]);
        assert_eq!(old.hung_up().await, None);
        assert_eq!(Wire::open(&broker).greet(&hello(V5, id)).await, [0, 0x85, 0]);
    }
    Wire::connect(&broker, &hello(V311, &"x".repeat(128))).await;
}

#[tokio::test]
async fn a_client_that_may_not_connect_gets_awss_code() {
    let broker = forbidding("iot:Connect", "thief");
    assert_eq!(Wire::open(&broker).greet(&hello(V311, "thief")).await, [0, 7]);
    assert_eq!(Wire::open(&broker).greet(&hello(V5, "thief")).await, [0, 0x87, 0]);
    Wire::connect(&broker, &hello(V311, "honest")).await;
}

#[tokio::test]
async fn other_protocol_levels_are_refused() {
    let (broker, _) = broker();
    for (name, level, answer) in [("MQIsdp", 3, vec![0, 1]), ("MQTT", 6, vec![0, 0x84, 0])] {
        let mut wire = Wire::open(&broker);
        wire.send(&packet(0x10, &[string(name), vec![level, 2, 0, 60], string("a")].concat())).await;
        assert_eq!(wire.next().await, Some((0x20, answer)));
        assert_eq!(wire.next().await, None);
    }
}

#[tokio::test]
async fn enhanced_authentication_is_refused() {
    let (broker, _) = broker();
    let properties = [vec![0x15], string("SCRAM")].concat();
    assert_eq!(Wire::open(&broker).greet(&Hello { properties, ..hello(V5, "a") }).await, [0, 0x8C, 0]);
}

#[tokio::test]
async fn a_client_that_does_not_say_connect_is_dropped() {
    let (broker, _) = broker();
    for bytes in [&[][..], &hello(V311, "a").bytes()[..5]] {
        let (mut client, server) = tokio::io::duplex(1_024);
        client.write_all(bytes).await.expect("written");
        broker.serve_patiently(server, Peer::default(), Duration::from_millis(10)).await;
        assert_eq!(client.read(&mut [0; 9]).await.expect("readable"), 0);
    }
}
