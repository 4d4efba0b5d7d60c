//! Topic aliases of MQTT 5 clients.

use super::raw_client::{RawClient, clean_connect, persistent_connect};
use super::{broker, broker_denying, tapped};
use crate::codec::Version::V5;

/// The topic alias property.
fn alias(number: u8) -> [u8; 3] {
    [0x23, 0, number]
}

#[tokio::test]
async fn an_alias_stands_for_the_last_topic_that_came_with_it() {
    let (broker, _) = broker();
    let mut tap = broker.tap();
    let mut client = RawClient::connect(&broker, &clean_connect(V5, "a")).await;
    for number in 1..=8 {
        client.send_publish(&format!("t/{number}"), b"x", 0, &alias(number)).await;
    }
    for number in (1..=8).rev() {
        client.send_publish("", b"y", 2, &alias(number)).await;
        assert_eq!(client.next().await, Some((0x40, vec![0, 5])));
    }
    client.send_publish("other", b"x", 0, &alias(1)).await;
    client.send_publish("", b"y", 0, &alias(1)).await;
    client.expect_nothing_more().await;
    let topics: Vec<_> = tapped(&mut tap).into_iter().map(|published| published.message.topic).collect();
    let forward = (1..=8).map(|number| format!("t/{number}"));
    let expected = forward.clone().chain(forward.rev()).chain(["other".to_owned(), "other".to_owned()]);
    assert_eq!(topics, expected.collect::<Vec<_>>());
}

#[tokio::test]
async fn alias_0_above_8_or_unknown_closes_the_connection() {
    let (broker, _) = broker();
    let mut tap = broker.tap();
    for (topic, number, reason) in [("t", 0, 0x94), ("t", 9, 0x94), ("", 9, 0x94), ("", 1, 0x82)] {
        let mut client = RawClient::connect(&broker, &clean_connect(V5, "a")).await;
        client.send_publish(topic, b"x", 2, &alias(number)).await;
        assert_eq!(client.expect_disconnect().await, Some(reason), "{topic:?} {number}");
    }
    assert!(tapped(&mut tap).is_empty());
}

#[tokio::test]
async fn aliases_end_with_their_connection() {
    let (broker, _) = broker();
    let mut first = RawClient::connect(&broker, &persistent_connect(V5, "a")).await;
    first.send_publish("t", b"x", 0, &alias(1)).await;
    first.expect_nothing_more().await;
    let mut other = RawClient::connect(&broker, &clean_connect(V5, "b")).await;
    other.send_publish("", b"x", 0, &alias(1)).await;
    assert_eq!(other.expect_disconnect().await, Some(0x82));
    first.disconnect().await;
    let (mut again, present) = RawClient::resume(&broker, &persistent_connect(V5, "a")).await;
    assert!(present);
    again.send_publish("", b"x", 0, &alias(1)).await;
    assert_eq!(again.expect_disconnect().await, Some(0x82));
}

#[tokio::test]
async fn an_alias_is_held_to_the_policy_of_its_topic() {
    let broker = broker_denying("iot:Publish", "secret");
    let mut client = RawClient::connect(&broker, &clean_connect(V5, "a")).await;
    client.send_publish("open", b"x", 0, &alias(1)).await;
    client.send_publish("secret", b"x", 0, &alias(1)).await;
    assert_eq!(client.expect_disconnect().await, Some(0x87));
}
