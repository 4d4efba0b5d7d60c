//! Direct messages.

use std::time::Duration;

use super::wire::{Wire, hello, persistent};
use super::{broker, forbidding, tapped};
use crate::codec::Version::{V5, V311};
use crate::{DirectError, Message};

const SOON: Option<Duration> = Some(Duration::from_secs(60));
/// For clients that never answer.
const NOW: Option<Duration> = Some(Duration::from_millis(5));

#[tokio::test]
async fn it_needs_no_subscription_and_is_confirmed_by_the_client() {
    let (broker, _) = broker();
    let mut tap = broker.tap();
    let mut device = Wire::connect(&broker, &hello(V311, "device")).await;
    let sending = tokio::spawn({
        let broker = broker.clone();
        async move { broker.send_direct("device", Message::new("cmd/device/req", "go"), SOON).await }
    });
    let got = device.got().await;
    assert_eq!((got.topic.as_str(), got.qos), ("cmd/device/req", 1));
    assert!(!sending.is_finished());
    device.ack(got.packet_id).await;
    sending.await.expect("no panic").expect("confirmed");
    assert!(tapped(&mut tap).is_empty());
}

#[tokio::test]
async fn without_confirmation_it_is_sent_at_qos_0() {
    let (broker, _) = broker();
    let mut device = Wire::connect(&broker, &hello(V5, "device")).await;
    let mut message = Message::new("t", "go");
    message.properties.user.push(("k".into(), "v".into()));
    broker.send_direct("device", message, None).await.expect("sent");
    let got = device.got().await;
    assert_eq!((got.qos, got.properties), (0, vec![0x26, 0, 1, b'k', 0, 1, b'v']));
}

#[tokio::test]
async fn a_client_that_does_not_answer_gets_it_only_once() {
    let (broker, _) = broker();
    let mut device = Wire::connect(&broker, &persistent(V311, "device")).await;
    let error = broker.send_direct("device", Message::new("t", "go"), NOW).await.expect_err("not acknowledged");
    assert!(matches!(error, DirectError::NoAcknowledgement(id) if id == "device"));
    device.got().await;
    device.vanish().await;
    let mut device = Wire::connect(&broker, &persistent(V311, "device")).await;
    device.nothing_more().await;
}

#[tokio::test]
async fn a_broken_connection_ends_the_wait() {
    let (broker, _) = broker();
    let mut device = Wire::connect(&broker, &persistent(V311, "device")).await;
    let (result, ()) =
        tokio::join!(broker.send_direct("device", Message::new("t", "go"), Some(Duration::from_secs(3_600))), async {
            device.got().await;
            device.vanish().await;
        });
    assert!(matches!(result, Err(DirectError::NoAcknowledgement(_))));
}

#[tokio::test]
async fn it_is_never_queued() {
    let (broker, _) = broker();
    let message = || Message::new("t", "go");
    assert!(matches!(broker.send_direct("nobody", message(), SOON).await, Err(DirectError::NotConnected(_))));
    Wire::connect(&broker, &persistent(V311, "device")).await.leave().await;
    for confirm in [SOON, None] {
        assert!(matches!(broker.send_direct("device", message(), confirm).await, Err(DirectError::NotConnected(_))));
    }
    Wire::connect(&broker, &persistent(V311, "device")).await.nothing_more().await;
}

#[tokio::test]
async fn one_that_was_given_up_before_it_was_sent_is_not_sent() {
    let (broker, _) = broker();
    let mut device =
        Wire::connect(&broker, &super::wire::Hello { properties: vec![0x21, 0, 1], ..hello(V5, "device") }).await;
    device.subscribe("t", 1).await;
    broker.publish(Message::new("t", "fills the window")).expect("published");
    let late = broker.send_direct("device", Message::new("t", "late"), NOW).await;
    assert!(matches!(late, Err(DirectError::NoAcknowledgement(_))));
    let got = device.got().await;
    device.ack(got.packet_id).await;
    device.nothing_more().await;
}

#[tokio::test]
async fn what_cannot_be_sent_or_received_fails() {
    let broker = forbidding("iot:Receive", "secret");
    let mut device = Wire::connect(&broker, &hello(V311, "device")).await;
    let secret = broker.send_direct("device", Message::new("secret", "x"), SOON).await;
    assert!(matches!(secret, Err(DirectError::NoAcknowledgement(_))));
    assert!(matches!(broker.send_direct("device", Message::new("a/#", "x"), SOON).await, Err(DirectError::Message(_))));
    device.nothing_more().await;
}
