//! Delivery: recipients, QoS, properties, shared subscriptions, Basic Ingest.

use super::raw_client::{RawClient, clean_connect, encode_string};
use super::{broker, tapped};
use crate::codec::Version::{V5, V311};
use crate::{Message, Properties};

#[tokio::test]
async fn overlapping_subscriptions_give_one_copy_at_the_highest_qos() {
    let (broker, _) = broker();
    let mut client = RawClient::connect(&broker, &clean_connect(V311, "a")).await;
    client.subscribe_with(&[("t/#", 0), ("t/+", 1), ("t/x", 0), ("#", 0)], &[]).await;
    broker.publish(Message::new("t/x", "x")).expect("published");
    assert_eq!(client.receive_publish().await.qos, 1);
    client.expect_nothing_more().await;
    broker.publish(Message { qos: 0, ..Message::new("t/x", "x") }).expect("published");
    assert_eq!(client.receive_publish().await.qos, 0);
    client.expect_nothing_more().await;
}

#[tokio::test]
async fn properties_reach_mqtt_5_clients_only() {
    let (broker, _) = broker();
    let mut tap = broker.tap();
    let mut old = RawClient::connect(&broker, &clean_connect(V311, "old")).await;
    old.subscribe("t", 1).await;
    let mut new = RawClient::connect(&broker, &clean_connect(V5, "new")).await;
    new.subscribe("t", 1).await;
    let sent = [
        vec![0x01, 1, 0x02, 0, 0, 1, 0x2C],
        [vec![0x03], encode_string("application/json"), vec![0x08], encode_string("answer/here")].concat(),
        vec![0x09, 0, 3, 0, 0xFF, 7],
        [vec![0x26], encode_string("k"), encode_string("v1"), vec![0x26], encode_string("k"), encode_string("v2")]
            .concat(),
    ]
    .concat();
    let mut publisher = RawClient::connect(&broker, &clean_connect(V5, "publisher")).await;
    publisher.send_publish("t", b"x", 2, &sent).await;
    assert_eq!(new.receive_publish().await.properties, sent);
    let received = old.receive_publish().await;
    assert_eq!((received.payload.as_str(), received.properties.len()), ("x", 0));
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
async fn no_local_excludes_a_clients_own_messages() {
    let (broker, _) = broker();
    let mut client = RawClient::connect(&broker, &clean_connect(V5, "a")).await;
    client.subscribe("t", 4).await;
    client.publish("t", "own message").await;
    broker.publish(Message::new("t", "other message")).expect("published");
    assert_eq!(client.receive_publish().await.payload, "other message");
}

#[tokio::test]
async fn unsubscribed_filter_receives_no_messages() {
    for version in [V311, V5] {
        let (broker, _) = broker();
        let mut client = RawClient::connect(&broker, &clean_connect(version, "a")).await;
        client.subscribe("t/#", 1).await;
        client.unsubscribe("t/#").await;
        client.unsubscribe("t/#").await;
        broker.publish(Message::new("t/x", "x")).expect("published");
        client.expect_nothing_more().await;
    }
}

#[tokio::test]
async fn basic_ingest_reaches_taps_but_no_subscriber() {
    let (broker, _) = broker();
    let mut tap = broker.tap();
    let mut client = RawClient::connect(&broker, &clean_connect(V311, "a")).await;
    client.subscribe("$aws/#", 0).await;
    assert_eq!(client.receive_publish().await.topic, "$aws/events/subscriptions/subscribed/a");
    client.publish("$aws/rules/r/cmd/t/resp", "x").await;
    let published = tapped(&mut tap);
    assert_eq!(published[0].message.topic, "$aws/rules/r/cmd/t/resp");
    assert_eq!(published[0].publisher.client_id.as_deref(), Some("a"));
    client.expect_nothing_more().await;
}

#[tokio::test]
async fn shared_subscription_rotates_among_connected_members() {
    let (broker, _) = broker();
    let mut first = RawClient::connect(&broker, &clean_connect(V5, "first")).await;
    let mut second = RawClient::connect(&broker, &clean_connect(V311, "second")).await;
    first.subscribe("$share/g/t/#", 0).await;
    second.subscribe("$share/g/t/#", 0).await;
    for payload in ["1", "2", "3", "4"] {
        broker.publish(Message { qos: 0, ..Message::new("t/x", payload) }).expect("published");
    }
    for (one, two) in [("1", "2"), ("3", "4")] {
        assert_eq!(
            (first.receive_publish().await.payload.as_str(), second.receive_publish().await.payload.as_str()),
            (one, two)
        );
    }
    first.disconnect().await;
    for payload in ["5", "6"] {
        broker.publish(Message { qos: 0, ..Message::new("t/x", payload) }).expect("published");
        assert_eq!(second.receive_publish().await.payload, payload);
    }
}

#[tokio::test]
async fn message_larger_than_the_clients_maximum_is_not_sent() {
    let (broker, _) = broker();
    let small = super::raw_client::ConnectPacket { properties: vec![0x27, 0, 0, 0, 100], ..clean_connect(V5, "small") };
    let mut client = RawClient::connect(&broker, &small).await;
    client.subscribe("t", 1).await;
    broker.publish(Message::new("t", "x".repeat(100))).expect("published");
    broker.publish(Message::new("t", "fits")).expect("published");
    assert_eq!(client.receive_publish().await.payload, "fits");
}

#[tokio::test]
async fn publish_by_a_service_is_validated() {
    let (broker, _) = broker();
    for topic in ["", "a/#", "1/2/3/4/5/6/7/8/9"] {
        assert!(broker.publish(Message::new(topic, "x")).is_err(), "{topic}");
    }
    assert!(broker.publish(Message::new("t", vec![0; 131_073])).is_err());
    assert!(broker.publish(Message { retain: true, ..Message::new("$aws/x", "x") }).is_err());
    broker.publish(Message::new("$aws/things/t/shadow/update/accepted", vec![0; 131_072])).expect("published");
}
