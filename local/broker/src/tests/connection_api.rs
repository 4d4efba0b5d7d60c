//! GetConnection, ListSubscriptions, DeleteConnection.

use std::time::Duration;

use super::wire::{Wire, hello, persistent};
use super::{NOW_MS, broker};
use crate::Subscription;
use crate::codec::Version::{V5, V311};

#[tokio::test]
async fn a_connection_is_told_of_and_for_a_while_its_end() {
    let (broker, clock) = broker();
    assert!(broker.connection("a").is_none());
    let wire = Wire::connect(&broker, &persistent(V311, "a")).await;
    let now = broker.connection("a").expect("known");
    assert_eq!((now.connected, now.connected_since_ms, now.disconnected_since_ms), (true, Some(NOW_MS), None));
    assert_eq!((now.clean_session, now.session_expiry_s, now.keep_alive_s), (false, 3_600, 60));
    clock.advance(Duration::from_secs(5));
    wire.leave().await;
    let then = broker.connection("a").expect("known");
    assert_eq!((then.connected, then.connected_since_ms), (false, None));
    assert_eq!(then.disconnected_since_ms, Some(NOW_MS + 5_000));
    assert_eq!(then.disconnect_reason, Some("CLIENT_INITIATED_DISCONNECT"));
    clock.advance(Duration::from_secs(1_800));
    let later = broker.connection("a").expect("it has a session");
    assert_eq!((later.disconnected_since_ms, later.disconnect_reason), (None, None));
    clock.advance(Duration::from_secs(1_800));
    assert!(broker.connection("a").is_none());
}

#[tokio::test]
async fn subscriptions_are_listed_also_offline() {
    let (broker, _) = broker();
    let mut wire = Wire::connect(&broker, &persistent(V5, "a")).await;
    wire.subscribe_with(&[("t/#", 1), ("$share/g/u", 0)], &[]).await;
    let expected = [("$share/g/u", 0), ("t/#", 1)].map(|(filter, qos)| Subscription { filter: filter.into(), qos });
    assert_eq!(broker.subscriptions("a").as_deref(), Some(&expected[..]));
    wire.leave().await;
    assert_eq!(broker.subscriptions("a").as_deref(), Some(&expected[..]));
    Wire::connect(&broker, &hello(V311, "b")).await.leave().await;
    assert_eq!(broker.subscriptions("b"), None);
}

#[tokio::test]
async fn deleting_a_connection_keeps_the_session_unless_asked() {
    let (broker, _) = broker();
    assert!(!broker.disconnect("a", false, false));
    let mut wire = Wire::connect(&broker, &persistent(V5, "a")).await;
    assert!(broker.disconnect("a", false, false));
    assert_eq!(wire.hung_up().await, Some(0x98));
    assert!(!broker.disconnect("a", false, false));
    let (mut wire, present) = Wire::resume(&broker, &persistent(V5, "a")).await;
    assert!(present);
    assert!(broker.disconnect("a", true, false));
    assert_eq!(wire.hung_up().await, Some(0x98));
    assert!(!Wire::resume(&broker, &persistent(V5, "a")).await.1);
}

#[tokio::test]
async fn deleting_no_connection_leaves_the_session_alone() {
    let (broker, _) = broker();
    Wire::connect(&broker, &persistent(V5, "a")).await.leave().await;
    assert!(!broker.disconnect("a", true, false));
    assert!(Wire::resume(&broker, &persistent(V5, "a")).await.1);
}
