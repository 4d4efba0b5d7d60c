//! CONNECT: accepted and refused clients, and the contents of CONNACK.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::raw_client::{ConnectPacket, RawClient, clean_connect, encode_packet, encode_string, persistent_connect};
use super::{broker, broker_denying};
use crate::Peer;
use crate::codec::Version::{V5, V311};

#[tokio::test]
async fn mqtt_5_connack_states_the_limits() {
    let (broker, _) = broker();
    let body = RawClient::open(&broker).send_connect(&persistent_connect(V5, "a")).await;
    let expiry_3600 = [0x11, 0, 0, 14, 16];
    let receive_maximum_100 = [0x21, 0, 100];
    let topic_alias_maximum_8 = [0x22, 0, 8];
    let maximum_qos_1 = [0x24, 1];
    let no_subscription_identifiers = [0x29, 0];
    let maximum_packet_149504 = [0x27, 0, 2, 0x48, 0];
    let expected: [&[u8]; 7] = [
        &[0, 0, 20],
        &expiry_3600,
        &receive_maximum_100,
        &topic_alias_maximum_8,
        &maximum_qos_1,
        &no_subscription_identifiers,
        &maximum_packet_149504,
    ];
    assert_eq!(body, expected.concat());
}

#[tokio::test]
async fn session_expiry_is_limited() {
    let (broker, _) = broker();
    let long = ConnectPacket { properties: vec![0x11, 0xFF, 0xFF, 0xFF, 0xFF], ..clean_connect(V5, "a") };
    let body = RawClient::open(&broker).send_connect(&long).await;
    assert_eq!(body[3..8], [0x11, 0, 0, 14, 16]);
}

#[tokio::test]
async fn keep_alive_is_30_to_1200_seconds_and_connack_states_another_one() {
    let (broker, _) = broker();
    for (requested, given) in [(0, 1_200), (1, 30), (29, 30), (30, 30), (1_200, 1_200), (1_201, 1_200)] {
        for version in [V311, V5] {
            let connect = ConnectPacket { keep_alive_s: requested, ..clean_connect(version, "a") };
            let body = RawClient::open(&broker).send_connect(&connect).await;
            assert_eq!(broker.connection("a").map(|connection| connection.keep_alive_s), Some(given), "{requested}");
            let stated = [&[0x13][..], &given.to_be_bytes()].concat();
            assert_eq!(body.ends_with(&stated), version == V5 && given != requested, "{requested}: {body:?}");
        }
    }
}

#[tokio::test]
async fn user_names_are_ignored() {
    let (broker, _) = broker();
    for version in [V311, V5] {
        let connect = ConnectPacket { user: Some("?SDK=Python&Version=1.6.2"), ..clean_connect(version, "a") };
        RawClient::connect(&broker, &connect).await.expect_nothing_more().await;
    }
}

#[tokio::test]
async fn empty_client_id_is_assigned_unless_v311_requests_a_session() {
    let (broker, _) = broker();
    let mut client = RawClient::open(&broker);
    let body = client.send_connect(&clean_connect(V5, "")).await;
    assert_eq!(body[1], 0);
    let assigned = body.windows(3).position(|w| w == [0x12, 0, 41]).expect("an assigned client identifier");
    let id = std::str::from_utf8(&body[assigned + 3..assigned + 44]).expect("text");
    assert!(id.starts_with("$GEN/"), "{id}");
    assert!(broker.connection(id).is_some(), "{id}");
    // A client cannot come back with the id that it was assigned.
    assert_eq!(RawClient::open(&broker).send_connect(&clean_connect(V5, id)).await, [0, 0x85, 0]);
    assert!(broker.connection(id).is_some_and(|connection| connection.connected), "{id}");
    assert_eq!(RawClient::open(&broker).send_connect(&clean_connect(V311, "")).await, [0, 0]);
    assert_eq!(RawClient::open(&broker).send_connect(&persistent_connect(V311, "")).await, [0, 2]);
}

#[tokio::test]
async fn reserved_and_long_client_ids_are_refused() {
    let (broker, _) = broker();
    for id in ["$internal", "$GEN/a", &"x".repeat(129)] {
        let mut old = RawClient::open(&broker);
        assert_eq!(old.send_connect(&clean_connect(V311, id)).await, [0, 2]);
        assert_eq!(old.expect_disconnect().await, None);
        assert_eq!(RawClient::open(&broker).send_connect(&clean_connect(V5, id)).await, [0, 0x85, 0]);
    }
    RawClient::connect(&broker, &clean_connect(V311, &"x".repeat(128))).await;
}

#[tokio::test]
async fn unauthorized_client_gets_the_aws_return_code() {
    let broker = broker_denying("iot:Connect", "denied");
    assert_eq!(RawClient::open(&broker).send_connect(&clean_connect(V311, "denied")).await, [0, 7]);
    assert_eq!(RawClient::open(&broker).send_connect(&clean_connect(V5, "denied")).await, [0, 0x87, 0]);
    RawClient::connect(&broker, &clean_connect(V311, "permitted")).await;
}

#[tokio::test]
async fn unsupported_protocol_levels_are_refused() {
    let (broker, _) = broker();
    for (name, level, answer) in [("MQIsdp", 3, vec![0, 1]), ("MQTT", 6, vec![0, 0x84, 0])] {
        let mut client = RawClient::open(&broker);
        client
            .send(&encode_packet(0x10, &[encode_string(name), vec![level, 2, 0, 60], encode_string("a")].concat()))
            .await;
        assert_eq!(client.next().await, Some((0x20, answer)));
        assert_eq!(client.next().await, None);
    }
}

#[tokio::test]
async fn enhanced_authentication_is_refused() {
    let (broker, _) = broker();
    let properties = [vec![0x15], encode_string("SCRAM")].concat();
    assert_eq!(
        RawClient::open(&broker).send_connect(&ConnectPacket { properties, ..clean_connect(V5, "a") }).await,
        [0, 0x8C, 0]
    );
}

#[tokio::test]
async fn connection_without_connect_packet_is_closed_after_the_timeout() {
    let (broker, _) = broker();
    for bytes in [&[][..], &clean_connect(V311, "a").bytes()[..5]] {
        let (mut client, server) = tokio::io::duplex(1_024);
        client.write_all(bytes).await.expect("written");
        broker.serve_with_connect_timeout(server, Peer::default(), Duration::from_millis(10)).await;
        assert_eq!(client.read(&mut [0; 9]).await.expect("readable"), 0);
    }
}
