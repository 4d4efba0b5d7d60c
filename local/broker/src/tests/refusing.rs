//! What ends a connection, and what is refused without ending it.

use proptest::prelude::*;

use super::wire::{Hello, Wire, hello, packet, persistent, string};
use super::{broker, forbidding, tapped};
use crate::codec::Version::{V5, V311};
use crate::codec::decode;

#[tokio::test]
async fn an_illegal_topic_ends_the_connection() {
    let (broker, _) = broker();
    let mut tap = broker.tap();
    for topic in ["a/#", "a/+/b", "", "1/2/3/4/5/6/7/8/9", "$aws/things/t/shadow/update/accepted", "$SYS/x"] {
        let mut old = Wire::connect(&broker, &hello(V311, "old")).await;
        old.say(topic, b"x", 2, &[]).await;
        assert_eq!(old.next().await, None, "{topic}");
        let reason = if topic.starts_with('$') { 0x87 } else { 0x90 };
        let mut new = Wire::connect(&broker, &hello(V5, "new")).await;
        new.say(topic, b"x", 2, &[]).await;
        assert_eq!(new.next().await, Some((0x40, vec![0, 5, reason])), "{topic}");
        assert_eq!(new.hung_up().await, Some(reason), "{topic}");
    }
    assert!(tapped(&mut tap).is_empty());
}

#[tokio::test]
async fn a_message_has_at_most_128_kilobytes() {
    let (broker, _) = broker();
    let mut tap = broker.tap();
    let most = vec![b'x'; 131_072];
    let mut old = Wire::connect(&broker, &hello(V311, "old")).await;
    old.say("t", &most, 0, &[]).await;
    old.nothing_more().await;
    old.say("t", &[&most[..], b"x"].concat(), 0, &[]).await;
    assert_eq!(old.hung_up().await, None);
    // For MQTT 5 the properties count.
    let mut new = Wire::connect(&broker, &hello(V5, "new")).await;
    new.say("t", &most[..131_067], 0, &[0x02, 0, 0, 0, 9]).await;
    new.nothing_more().await;
    new.say("t", &most[..131_068], 0, &[0x02, 0, 0, 0, 9]).await;
    assert_eq!(new.hung_up().await, Some(0x95));
    assert_eq!(tapped(&mut tap).len(), 2);
}

#[tokio::test]
async fn qos_2_is_not_supported() {
    let (broker, _) = broker();
    for (version, reason) in [(V311, None), (V5, Some(0x9B))] {
        let mut wire = Wire::connect(&broker, &hello(version, "a")).await;
        wire.send(&wire.subscription(&[("t", 2)], &[])).await;
        wire.nothing_more().await;
        assert_eq!(broker.subscriptions("a"), Some(Vec::new()));
        wire.say("t", b"x", 4, &[]).await;
        assert_eq!(wire.hung_up().await, reason);
    }
}

#[tokio::test]
async fn retaining_on_reserved_topics_ends_the_connection() {
    let (broker, _) = broker();
    let mut wire = Wire::connect(&broker, &hello(V5, "a")).await;
    wire.say("$aws/things/t/shadow/update", b"{}", 3, &[]).await;
    assert_eq!(wire.hung_up().await, Some(0x9A));
}

#[tokio::test]
async fn what_policy_forbids_ends_the_connection() {
    for action in ["iot:Publish", "iot:RetainPublish"] {
        let broker = forbidding(action, "secret");
        let flags = if action == "iot:Publish" { 2 } else { 3 };
        let mut old = Wire::connect(&broker, &hello(V311, "old")).await;
        old.say("secret", b"x", flags, &[]).await;
        assert_eq!(old.next().await, None);
        let mut new = Wire::connect(&broker, &hello(V5, "new")).await;
        new.say("secret", b"x", flags, &[]).await;
        assert_eq!(new.next().await, Some((0x40, vec![0, 5, 0x87])));
        assert_eq!(new.hung_up().await, Some(0x87));
    }
}

#[tokio::test]
async fn forbidden_subscriptions_fail_and_forbidden_messages_do_not_come() {
    let broker = forbidding("iot:Subscribe", "secret");
    assert_eq!(Wire::connect(&broker, &hello(V311, "a")).await.subscribe("secret", 0).await, [0x80]);
    let mut new = Wire::connect(&broker, &hello(V5, "b")).await;
    assert_eq!(new.subscribe_with(&[("secret", 1), ("open", 1)], &[]).await, [0x87, 1]);

    let broker = forbidding("iot:Receive", "secret");
    let mut wire = Wire::connect(&broker, &hello(V311, "a")).await;
    assert_eq!(wire.subscribe("#", 0).await, [0]);
    let mut other = Wire::connect(&broker, &hello(V311, "b")).await;
    other.publish("secret", "x").await;
    other.publish("open", "y").await;
    assert_eq!(wire.got().await.topic, "open");
}

#[tokio::test]
async fn basic_ingest_cannot_be_subscribed_to() {
    let (broker, _) = broker();
    assert_eq!(Wire::connect(&broker, &hello(V311, "a")).await.subscribe("$aws/rules/r/#", 0).await, [0x80]);
    assert_eq!(Wire::connect(&broker, &hello(V5, "b")).await.subscribe("$aws/rules/r/#", 0).await, [0x8F]);
}

#[tokio::test]
async fn bad_and_too_many_filters_end_the_connection() {
    let (broker, _) = broker();
    let nine: Vec<(&str, u8)> = ["a", "b", "c", "d", "e", "f", "g", "h", "i"].map(|filter| (filter, 0)).to_vec();
    for (filters, reason) in [(&[("a/#/b", 0)][..], 0x8F), (&nine, 0x97)] {
        for (version, told) in [(V311, None), (V5, Some(reason))] {
            let mut wire = Wire::connect(&broker, &hello(version, "a")).await;
            wire.send(&wire.subscription(filters, &[])).await;
            assert_eq!(wire.hung_up().await, told);
        }
    }
}

#[tokio::test]
async fn a_connection_has_at_most_50_subscriptions() {
    let (broker, _) = broker();
    let mut wire = Wire::connect(&broker, &persistent(V5, "a")).await;
    for number in 0..50 {
        assert_eq!(wire.subscribe(&format!("t/{number}"), 1).await, [1]);
    }
    assert_eq!(wire.subscribe("t/7", 0).await, [0], "an old one again is none more");
    assert_eq!(wire.subscribe("t/50", 1).await, [0x97]);
    assert_eq!(wire.hung_up().await, Some(0x97));
    assert_eq!(broker.subscriptions("a").map(|all| all.len()), Some(50));
}

#[tokio::test]
async fn nonsense_ends_its_own_connection_only() {
    let (broker, _) = broker();
    let mut witness = Wire::connect(&broker, &hello(V311, "witness")).await;
    let oversized = [0x30, 0xFF, 0xFF, 0xFF, 0x7F];
    let endless = [0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x01];
    let second_connect = hello(V311, "a").bytes();
    let no_topic = packet(0x82, &[0, 1]);
    let packet_id_0 = packet(0x32, &[string("t"), vec![0, 0]].concat());
    let not_text = packet(0x30, &[0, 1, 0xFF]);
    let truncated = packet(0x30, &[0, 9, b'x']);
    let qos_3 = packet(0x36, &[string("t"), vec![0, 1]].concat());
    let all: [&[u8]; 12] = [
        &oversized,
        &endless,
        &second_connect,
        &no_topic,
        &packet_id_0,
        &not_text,
        &truncated,
        &qos_3,
        &[0x00, 0],
        &[0xF0, 0],
        &[0x80, 0],
        &[0x20, 2, 0, 0],
    ];
    for bytes in all {
        if bytes != second_connect {
            let mut first = Wire::open(&broker);
            first.send(bytes).await;
            assert_eq!(first.next().await, None, "{bytes:x?} as the first bytes");
        }
        let mut old = Wire::connect(&broker, &hello(V311, "a")).await;
        old.send(bytes).await;
        assert_eq!(old.hung_up().await, None, "{bytes:x?}");
        let mut new = Wire::connect(&broker, &hello(V5, "b")).await;
        new.send(bytes).await;
        assert!(new.hung_up().await.is_some_and(|reason| reason >= 0x80), "{bytes:x?}");
    }
    witness.nothing_more().await;
}

#[tokio::test]
async fn topic_aliases_and_wildcard_response_topics_are_refused() {
    let (broker, _) = broker();
    let alias = vec![0x23, 0, 1];
    let wildcard = [vec![0x08], string("a/#")].concat();
    for (properties, reason) in [(alias, 0x94), (wildcard, 0x82)] {
        let mut wire = Wire::connect(&broker, &hello(V5, "a")).await;
        wire.say("t", b"x", 0, &properties).await;
        assert_eq!(wire.hung_up().await, Some(reason));
    }
}

#[tokio::test]
async fn a_will_that_may_not_be_published_is_refused() {
    let (broker, _) = broker();
    for topic in ["a/#", "$aws/events/presence/connected/a"] {
        let hello = hello(V5, "a").with_will(topic, "x");
        assert_eq!(Wire::open(&broker).greet(&hello).await, [0, 0x90, 0]);
        let mut old = Wire::open(&broker);
        old.send(&Hello { version: V311, ..hello }.bytes()).await;
        assert_eq!(old.next().await, None);
    }
}

proptest! {
    #[test]
    fn decoding_never_panics(first: u8, body in proptest::collection::vec(any::<u8>(), 0..200)) {
        for version in [V311, V5] {
            let _ = decode(first, &body, version);
        }
    }

    #[test]
    fn decoding_damaged_packets_never_panics(at in 0usize..80, byte: u8, cut in 0usize..80) {
        let hello = Hello { user: Some("me"), ..persistent(V5, "id").with_will("w", "gone") };
        let mut bytes = hello.bytes();
        if let Some(damaged) = bytes.get_mut(at) {
            *damaged = byte;
        }
        bytes.truncate(bytes.len().saturating_sub(cut).max(2));
        let _ = decode(bytes[0], &bytes[2..], V5);
    }
}
