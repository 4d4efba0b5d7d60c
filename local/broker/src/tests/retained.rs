//! Retained messages, by AWS's rules.

use std::time::Duration;

use serde_json::json;

use super::broker;
use super::wire::{Wire, hello};
use crate::Message;
use crate::codec::Version::{V5, V311};

fn retained(topic: &str, payload: &str) -> Message {
    Message { retain: true, ..Message::new(topic.to_owned(), payload.to_owned()) }
}

#[tokio::test]
async fn exact_filters_get_them_and_wildcards_do_not() {
    let (broker, _) = broker();
    let mut teller = Wire::connect(&broker, &hello(V311, "teller")).await;
    teller.say("t/x", b"kept", 3, &[]).await;
    teller.next().await;
    let mut wire = Wire::connect(&broker, &hello(V311, "a")).await;
    for wildcard in ["t/+", "t/#", "#", "+/x"] {
        wire.subscribe(wildcard, 1).await;
    }
    wire.nothing_more().await;
    wire.subscribe("t/x", 1).await;
    let got = wire.got().await;
    assert_eq!((got.payload.as_str(), got.retain, got.qos), ("kept", true, 1));
    // What is published later is not marked.
    broker.publish(retained("t/x", "new")).expect("published");
    assert!(!wire.got().await.retain);
    let mut shared = Wire::connect(&broker, &hello(V311, "b")).await;
    shared.subscribe("$share/g/t/x", 1).await;
    shared.nothing_more().await;
}

#[tokio::test]
async fn an_empty_payload_deletes_and_is_handed_out() {
    let (broker, _) = broker();
    let mut wire = Wire::connect(&broker, &hello(V311, "a")).await;
    wire.subscribe("t", 1).await;
    broker.publish(retained("t", "kept")).expect("published");
    broker.publish(retained("t", "")).expect("published");
    assert_eq!((wire.got().await.payload.as_str(), wire.got().await.payload.as_str()), ("kept", ""));
    assert!(broker.retained("t").is_none());
    assert!(broker.retained_topics().is_empty());
}

#[tokio::test]
async fn mqtt_5_clients_choose_when_and_how_they_get_them() {
    let (broker, _) = broker();
    broker.publish(retained("t", "kept")).expect("published");
    let mut wire = Wire::connect(&broker, &hello(V5, "a")).await;
    let (new_only, never, as_published) = (0x11, 0x21, 0x09);
    wire.subscribe("t", never).await;
    wire.nothing_more().await;
    wire.unsubscribe("t").await;
    wire.subscribe("t", new_only).await;
    assert_eq!(wire.got().await.payload, "kept");
    wire.subscribe("t", new_only).await;
    wire.nothing_more().await;
    wire.subscribe("t", as_published).await;
    assert_eq!(wire.got().await.payload, "kept");
    broker.publish(retained("t", "new")).expect("published");
    let got = wire.got().await;
    assert_eq!((got.payload.as_str(), got.retain), ("new", true));
}

#[tokio::test]
async fn they_expire() {
    let (broker, clock) = broker();
    let mut message = retained("t", "kept");
    message.properties.message_expiry_s = Some(60);
    broker.publish(message).expect("published");
    clock.advance(Duration::from_secs(20));
    let mut wire = Wire::connect(&broker, &hello(V5, "a")).await;
    wire.subscribe("t", 0).await;
    assert_eq!(wire.got().await.properties, [0x02, 0, 0, 0, 40]);
    clock.advance(Duration::from_secs(40));
    wire.subscribe("t", 0).await;
    wire.nothing_more().await;
    assert!(broker.retained("t").is_none());
}

#[test]
fn they_survive_a_restart_and_nonsense_is_left_out() {
    let (first, _) = broker();
    let mut message = retained("t", "\u{0}kept");
    message.properties.correlation_data = Some(vec![0, 0xFF].into());
    message.properties.user.push(("k".into(), "v".into()));
    first.publish(message).expect("published");
    first.publish(retained("u", "kept")).expect("published");
    let mut saved = first.snapshot();
    let list = saved["retained"].as_array_mut().expect("a list");
    list.extend([json!(7), json!({"topic": "#", "payload": "", "qos": 1, "atMs": 0}), json!({"topic": "v"})]);
    let (second, _) = broker();
    second.restore(&saved);
    second.restore(&json!("nonsense"));
    assert_eq!(second.retained_topics(), first.retained_topics());
    assert_eq!(second.retained_topics().len(), 2);
    assert_eq!(second.retained("t"), first.retained("t"));
}
