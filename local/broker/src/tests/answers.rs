//! Tests of the answers of services to the client that asked.

use super::raw_client::{RawClient, clean_connect, persistent_connect};
use super::{broker, broker_denying, tapped};
use crate::Message;
use crate::codec::Version::{V5, V311};

const TOPIC: &str = "$aws/things/t/jobs/get/accepted";

fn answer(qos: u8) -> Message {
    Message { qos, ..Message::new(TOPIC, "{}") }
}

#[tokio::test]
async fn answer_needs_no_subscription_and_reaches_no_other_client() {
    let (broker, _) = broker();
    let mut asking = RawClient::connect(&broker, &clean_connect(V311, "asking")).await;
    let mut other = RawClient::connect(&broker, &clean_connect(V311, "other")).await;
    other.subscribe("$aws/things/t/jobs/#", 1).await;
    let mut tap = broker.tap();
    broker.answer("asking", answer(0)).expect("a valid message");
    let received = asking.receive_publish().await;
    assert_eq!((received.topic.as_str(), received.qos), (TOPIC, 0));
    other.expect_nothing_more().await;
    assert!(tapped(&mut tap).is_empty());
}

#[tokio::test]
async fn answer_has_the_qos_of_the_subscription_and_comes_once() {
    let (broker, _) = broker();
    let mut asking = RawClient::connect(&broker, &clean_connect(V5, "asking")).await;
    asking.subscribe_with(&[("$aws/things/t/jobs/+/accepted", 1), ("$aws/things/t/jobs/#", 1)], &[]).await;
    broker.answer("asking", answer(0)).expect("a valid message");
    let received = asking.receive_publish().await;
    assert_eq!(received.qos, 1);
    asking.send_puback(received.packet_id).await;
    asking.expect_nothing_more().await;
}

#[tokio::test]
async fn answer_is_neither_queued_nor_sent_against_a_policy() {
    let (broker, _) = broker();
    let device = RawClient::connect(&broker, &persistent_connect(V311, "asking")).await;
    device.drop_connection().await;
    broker.answer("asking", answer(1)).expect("a valid message");
    broker.answer("unknown", answer(1)).expect("a valid message");
    let mut device = RawClient::connect(&broker, &persistent_connect(V311, "asking")).await;
    device.expect_nothing_more().await;
    let broker = broker_denying("iot:Receive", TOPIC);
    let mut denied = RawClient::connect(&broker, &clean_connect(V311, "asking")).await;
    broker.answer("asking", answer(0)).expect("a valid message");
    denied.expect_nothing_more().await;
}
