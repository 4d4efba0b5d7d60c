//! Tests of direct messages: confirmation, timeouts, errors.

use std::time::Duration;

use super::raw_client::{RawClient, clean_connect, persistent_connect};
use super::{broker, broker_denying, tapped};
use crate::codec::Version::{V5, V311};
use crate::{DirectError, Message};

const LONG_TIMEOUT: Option<Duration> = Some(Duration::from_secs(60));
/// Confirmation timeout in tests whose client sends no PUBACK.
const SHORT_TIMEOUT: Option<Duration> = Some(Duration::ZERO);

#[tokio::test]
async fn direct_message_needs_no_subscription_and_waits_for_puback() {
    let (broker, _) = broker();
    let mut tap = broker.tap();
    let mut device = RawClient::connect(&broker, &clean_connect(V311, "device")).await;
    let sending = tokio::spawn({
        let broker = broker.clone();
        async move { broker.send_direct("device", Message::new("cmd/device/req", "go"), LONG_TIMEOUT).await }
    });
    let received = device.receive_publish().await;
    assert_eq!((received.topic.as_str(), received.qos), ("cmd/device/req", 1));
    assert!(!sending.is_finished());
    device.send_puback(received.packet_id).await;
    sending.await.expect("no panic").expect("confirmed");
    assert!(tapped(&mut tap).is_empty());
}

#[tokio::test]
async fn direct_message_without_confirmation_has_qos_0() {
    let (broker, _) = broker();
    let mut device = RawClient::connect(&broker, &clean_connect(V5, "device")).await;
    let mut message = Message::new("t", "go");
    message.properties.user.push(("k".into(), "v".into()));
    broker.send_direct("device", message, None).await.expect("sent");
    let received = device.receive_publish().await;
    assert_eq!((received.qos, received.properties), (0, vec![0x26, 0, 1, b'k', 0, 1, b'v']));
}

#[tokio::test]
async fn unacknowledged_direct_message_is_not_redelivered() {
    let (broker, _) = broker();
    let mut device = RawClient::connect(&broker, &persistent_connect(V311, "device")).await;
    let error =
        broker.send_direct("device", Message::new("t", "go"), SHORT_TIMEOUT).await.expect_err("not acknowledged");
    assert!(matches!(error, DirectError::NoAcknowledgement(id) if id == "device"));
    device.receive_publish().await;
    device.drop_connection().await;
    let mut device = RawClient::connect(&broker, &persistent_connect(V311, "device")).await;
    device.expect_nothing_more().await;
}

#[tokio::test]
async fn broken_connection_ends_the_wait_for_puback() {
    let (broker, _) = broker();
    let mut device = RawClient::connect(&broker, &persistent_connect(V311, "device")).await;
    let (result, ()) =
        tokio::join!(broker.send_direct("device", Message::new("t", "go"), Some(Duration::from_secs(3_600))), async {
            device.receive_publish().await;
            device.drop_connection().await;
        });
    assert!(matches!(result, Err(DirectError::NoAcknowledgement(_))));
}

#[tokio::test]
async fn direct_message_is_never_queued() {
    let (broker, _) = broker();
    let message = || Message::new("t", "go");
    assert!(matches!(broker.send_direct("absent", message(), LONG_TIMEOUT).await, Err(DirectError::NotConnected(_))));
    RawClient::connect(&broker, &persistent_connect(V311, "device")).await.disconnect().await;
    for confirm in [LONG_TIMEOUT, None] {
        assert!(matches!(broker.send_direct("device", message(), confirm).await, Err(DirectError::NotConnected(_))));
    }
    RawClient::connect(&broker, &persistent_connect(V311, "device")).await.expect_nothing_more().await;
}

#[tokio::test]
async fn timed_out_direct_message_is_not_sent() {
    let (broker, _) = broker();
    let mut device = RawClient::connect(
        &broker,
        &super::raw_client::ConnectPacket { properties: vec![0x21, 0, 1], ..clean_connect(V5, "device") },
    )
    .await;
    device.subscribe("t", 1).await;
    broker.publish(Message::new("t", "fills the window")).expect("published");
    let late = broker.send_direct("device", Message::new("t", "late"), SHORT_TIMEOUT).await;
    assert!(matches!(late, Err(DirectError::NoAcknowledgement(_))));
    let received = device.receive_publish().await;
    device.send_puback(received.packet_id).await;
    device.expect_nothing_more().await;
}

#[tokio::test]
async fn unauthorized_or_invalid_direct_message_fails() {
    let broker = broker_denying("iot:Receive", "secret");
    let mut device = RawClient::connect(&broker, &clean_connect(V311, "device")).await;
    let secret = broker.send_direct("device", Message::new("secret", "x"), LONG_TIMEOUT).await;
    assert!(matches!(secret, Err(DirectError::NoAcknowledgement(_))));
    assert!(matches!(
        broker.send_direct("device", Message::new("a/#", "x"), LONG_TIMEOUT).await,
        Err(DirectError::Message(_))
    ));
    device.expect_nothing_more().await;
}
