//! Who gets which copy of a message, and what it carries.

use super::wire::{Wire, hello, string};
use super::{broker, tapped};
use crate::codec::Version::{V5, V311};
use crate::{Message, Properties};

#[tokio::test]
async fn overlapping_subscriptions_give_one_copy_at_the_highest_qos() {
    let (broker, _) = broker();
    let mut wire = Wire::connect(&broker, &hello(V311, "a")).await;
    wire.subscribe_with(&[("t/#", 0), ("t/+", 1), ("t/x", 0), ("#", 0)], &[]).await;
    broker.publish(Message::new("t/x", "x")).expect("published");
    assert_eq!(wire.got().await.qos, 1);
    wire.nothing_more().await;
    broker.publish(Message { qos: 0, ..Message::new("t/x", "x") }).expect("published");
    assert_eq!(wire.got().await.qos, 0);
    wire.nothing_more().await;
}

#[tokio::test]
async fn properties_travel_to_mqtt_5_and_not_to_3() {
    let (broker, _) = broker();
    let mut tap = broker.tap();
    let mut old = Wire::connect(&broker, &hello(V311, "old")).await;
    old.subscribe("t", 1).await;
    let mut new = Wire::connect(&broker, &hello(V5, "new")).await;
    new.subscribe("t", 1).await;
    let sent = [
        vec![0x01, 1, 0x02, 0, 0, 1, 0x2C],
        [vec![0x03], string("application/json"), vec![0x08], string("answer/here")].concat(),
        vec![0x09, 0, 3, 0, 0xFF, 7],
        [vec![0x26], string("k"), string("v1"), vec![0x26], string("k"), string("v2")].concat(),
    ]
    .concat();
    let mut teller = Wire::connect(&broker, &hello(V5, "teller")).await;
    teller.say("t", b"x", 2, &sent).await;
    assert_eq!(new.got().await.properties, sent);
    let got = old.got().await;
    assert_eq!((got.payload.as_str(), got.properties.len()), ("x", 0));
    let properties = Properties {
        content_type: Some("application/json".into()),
        response_topic: Some("answer/here".into()),
        correlation_data: Some(vec![0, 0xFF, 7].into()),
        message_expiry_s: Some(300),
        utf8: true,
        user: vec![("k".into(), "v1".into()), ("k".into(), "v2".into())],
    };
    assert_eq!(tapped(&mut tap)[0].message.properties, properties);
}

#[tokio::test]
async fn subscription_identifiers_come_back() {
    let (broker, _) = broker();
    let mut wire = Wire::connect(&broker, &hello(V5, "a")).await;
    wire.subscribe_with(&[("t/+", 0)], &[0x0B, 1]).await;
    wire.subscribe_with(&[("t/x", 0)], &[0x0B, 0xC8, 0x01]).await;
    broker.publish(Message::new("t/y", "x")).expect("published");
    assert_eq!(wire.got().await.properties, [0x0B, 1]);
    broker.publish(Message::new("t/x", "x")).expect("published");
    let both = wire.got().await.properties;
    assert!(both == [0x0B, 1, 0x0B, 0xC8, 1] || both == [0x0B, 0xC8, 1, 0x0B, 1], "{both:?}");
}

#[tokio::test]
async fn no_local_keeps_a_clients_own_messages_away() {
    let (broker, _) = broker();
    let mut wire = Wire::connect(&broker, &hello(V5, "a")).await;
    wire.subscribe("t", 4).await;
    wire.publish("t", "mine").await;
    broker.publish(Message::new("t", "yours")).expect("published");
    assert_eq!(wire.got().await.payload, "yours");
}

#[tokio::test]
async fn an_ended_subscription_is_over() {
    for version in [V311, V5] {
        let (broker, _) = broker();
        let mut wire = Wire::connect(&broker, &hello(version, "a")).await;
        wire.subscribe("t/#", 1).await;
        wire.unsubscribe("t/#").await;
        wire.unsubscribe("t/#").await;
        broker.publish(Message::new("t/x", "x")).expect("published");
        wire.nothing_more().await;
    }
}

#[tokio::test]
async fn basic_ingest_is_tapped_and_not_handed_out() {
    let (broker, _) = broker();
    let mut tap = broker.tap();
    let mut wire = Wire::connect(&broker, &hello(V311, "a")).await;
    wire.subscribe("$aws/#", 0).await;
    assert_eq!(wire.got().await.topic, "$aws/events/subscriptions/subscribed/a");
    wire.publish("$aws/rules/r/cmd/t/resp", "x").await;
    let seen = tapped(&mut tap);
    assert_eq!(seen[0].message.topic, "$aws/rules/r/cmd/t/resp");
    assert_eq!(seen[0].publisher.client_id.as_deref(), Some("a"));
    wire.nothing_more().await;
}

#[tokio::test]
async fn shared_subscriptions_take_turns_and_skip_who_is_away() {
    let (broker, _) = broker();
    let mut first = Wire::connect(&broker, &hello(V5, "first")).await;
    let mut second = Wire::connect(&broker, &hello(V311, "second")).await;
    first.subscribe("$share/g/t/#", 0).await;
    second.subscribe("$share/g/t/#", 0).await;
    for payload in ["1", "2", "3", "4"] {
        broker.publish(Message { qos: 0, ..Message::new("t/x", payload) }).expect("published");
    }
    for (one, two) in [("1", "2"), ("3", "4")] {
        assert_eq!((first.got().await.payload.as_str(), second.got().await.payload.as_str()), (one, two));
    }
    first.leave().await;
    for payload in ["5", "6"] {
        broker.publish(Message { qos: 0, ..Message::new("t/x", payload) }).expect("published");
        assert_eq!(second.got().await.payload, payload);
    }
}

#[tokio::test]
async fn what_is_larger_than_a_client_takes_is_not_sent() {
    let (broker, _) = broker();
    let small = super::wire::Hello { properties: vec![0x27, 0, 0, 0, 100], ..hello(V5, "small") };
    let mut wire = Wire::connect(&broker, &small).await;
    wire.subscribe("t", 1).await;
    broker.publish(Message::new("t", "x".repeat(100))).expect("published");
    broker.publish(Message::new("t", "fits")).expect("published");
    assert_eq!(wire.got().await.payload, "fits");
}

#[tokio::test]
async fn services_keep_to_the_rules_too() {
    let (broker, _) = broker();
    for topic in ["", "a/#", "1/2/3/4/5/6/7/8/9"] {
        assert!(broker.publish(Message::new(topic, "x")).is_err(), "{topic}");
    }
    assert!(broker.publish(Message::new("t", vec![0; 131_073])).is_err());
    assert!(broker.publish(Message { retain: true, ..Message::new("$aws/x", "x") }).is_err());
    broker.publish(Message::new("$aws/things/t/shadow/update/accepted", vec![0; 131_072])).expect("published");
}
