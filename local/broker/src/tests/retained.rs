//! Retained messages, by the rules of AWS IoT.

use std::time::Duration;

use serde_json::json;

use super::broker;
use super::raw_client::{RawClient, clean_connect};
use crate::Message;
use crate::codec::Version::{V5, V311};

fn retained(topic: &str, payload: &str) -> Message {
    Message { retain: true, ..Message::new(topic.to_owned(), payload.to_owned()) }
}

#[tokio::test]
async fn only_exact_filters_receive_retained_messages() {
    let (broker, _) = broker();
    let mut publisher = RawClient::connect(&broker, &clean_connect(V311, "publisher")).await;
    publisher.send_publish("t/x", b"stored", 3, &[]).await;
    publisher.next().await;
    let mut client = RawClient::connect(&broker, &clean_connect(V311, "a")).await;
    for wildcard in ["t/+", "t/#", "#", "+/x"] {
        client.subscribe(wildcard, 1).await;
    }
    client.expect_nothing_more().await;
    client.subscribe("t/x", 1).await;
    let received = client.receive_publish().await;
    assert_eq!((received.payload.as_str(), received.retain, received.qos), ("stored", true, 1));
    // Messages published after SUBSCRIBE have no retain flag.
    broker.publish(retained("t/x", "new")).expect("published");
    assert!(!client.receive_publish().await.retain);
    let mut shared = RawClient::connect(&broker, &clean_connect(V311, "b")).await;
    shared.subscribe("$share/g/t/x", 1).await;
    shared.expect_nothing_more().await;
}

#[tokio::test]
async fn empty_payload_deletes_the_retained_message_and_is_delivered() {
    let (broker, _) = broker();
    let mut client = RawClient::connect(&broker, &clean_connect(V311, "a")).await;
    client.subscribe("t", 1).await;
    broker.publish(retained("t", "stored")).expect("published");
    broker.publish(retained("t", "")).expect("published");
    assert_eq!(
        (client.receive_publish().await.payload.as_str(), client.receive_publish().await.payload.as_str()),
        ("stored", "")
    );
    assert!(broker.retained("t").is_none());
    assert!(broker.retained_topics().is_empty());
}

#[tokio::test]
async fn mqtt_5_retain_options_are_honoured() {
    let (broker, _) = broker();
    broker.publish(retained("t", "stored")).expect("published");
    let mut client = RawClient::connect(&broker, &clean_connect(V5, "a")).await;
    let (new_only, never, as_published) = (0x11, 0x21, 0x09);
    client.subscribe("t", never).await;
    client.expect_nothing_more().await;
    client.unsubscribe("t").await;
    client.subscribe("t", new_only).await;
    assert_eq!(client.receive_publish().await.payload, "stored");
    client.subscribe("t", new_only).await;
    client.expect_nothing_more().await;
    client.subscribe("t", as_published).await;
    assert_eq!(client.receive_publish().await.payload, "stored");
    broker.publish(retained("t", "new")).expect("published");
    let received = client.receive_publish().await;
    assert_eq!((received.payload.as_str(), received.retain), ("new", true));
}

#[tokio::test]
async fn retained_messages_expire() {
    let (broker, clock) = broker();
    let mut message = retained("t", "stored");
    message.properties.message_expiry_s = Some(60);
    broker.publish(message).expect("published");
    clock.advance(Duration::from_secs(20));
    let mut client = RawClient::connect(&broker, &clean_connect(V5, "a")).await;
    client.subscribe("t", 0).await;
    assert_eq!(client.receive_publish().await.properties, [0x02, 0, 0, 0, 40]);
    clock.advance(Duration::from_secs(40));
    client.subscribe("t", 0).await;
    client.expect_nothing_more().await;
    assert!(broker.retained("t").is_none());
}

#[test]
fn restore_keeps_retained_messages_and_skips_unreadable_ones() {
    let (first, _) = broker();
    let mut message = retained("t", "\u{0}stored");
    message.properties.correlation_data = Some(vec![0, 0xFF].into());
    message.properties.user.push(("k".into(), "v".into()));
    first.publish(message).expect("published");
    first.publish(retained("u", "stored")).expect("published");
    let mut saved = first.snapshot();
    let list = saved["retained"].as_array_mut().expect("a list");
    list.extend([json!(7), json!({"topic": "#", "payload": "", "qos": 1, "atMs": 0}), json!({"topic": "v"})]);
    let (second, _) = broker();
    second.restore(&saved);
    second.restore(&json!("not an object"));
    assert_eq!(second.retained_topics(), first.retained_topics());
    assert_eq!(second.retained_topics().len(), 2);
    assert_eq!(second.retained("t"), first.retained("t"));
}
