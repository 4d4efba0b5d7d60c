//! Tests of GetConnection, ListSubscriptions and DeleteConnection.

use std::time::Duration;

use super::raw_client::{RawClient, clean_connect, persistent_connect};
use super::{NOW_MS, broker};
use crate::Subscription;
use crate::codec::Version::{V5, V311};

#[tokio::test]
async fn connection_and_its_disconnect_reason_are_shown_for_30_minutes() {
    let (broker, clock) = broker();
    assert!(broker.connection("a").is_none());
    let client = RawClient::connect(&broker, &persistent_connect(V311, "a")).await;
    let now = broker.connection("a").expect("known");
    assert_eq!((now.connected, now.connected_since_ms, now.disconnected_since_ms), (true, Some(NOW_MS), None));
    assert_eq!((now.clean_session, now.session_expiry_s, now.keep_alive_s), (false, 3_600, 60));
    clock.advance(Duration::from_secs(5));
    client.disconnect().await;
    let then = broker.connection("a").expect("known");
    assert_eq!((then.connected, then.connected_since_ms), (false, None));
    assert_eq!(then.disconnected_since_ms, Some(NOW_MS + 5_000));
    assert_eq!(then.disconnect_reason, Some("CLIENT_INITIATED_DISCONNECT"));
    clock.advance(Duration::from_secs(1_800));
    let later = broker.connection("a").expect("the client has a session");
    assert_eq!((later.disconnected_since_ms, later.disconnect_reason), (None, None));
    clock.advance(Duration::from_secs(1_800));
    assert!(broker.connection("a").is_none());
}

#[tokio::test]
async fn subscriptions_of_an_offline_session_are_listed() {
    let (broker, _) = broker();
    let mut client = RawClient::connect(&broker, &persistent_connect(V5, "a")).await;
    client.subscribe_with(&[("t/#", 1), ("$share/g/u", 0)], &[]).await;
    let expected = [("$share/g/u", 0), ("t/#", 1)].map(|(filter, qos)| Subscription { filter: filter.into(), qos });
    assert_eq!(broker.subscriptions("a").as_deref(), Some(&expected[..]));
    client.disconnect().await;
    assert_eq!(broker.subscriptions("a").as_deref(), Some(&expected[..]));
    RawClient::connect(&broker, &clean_connect(V311, "b")).await.disconnect().await;
    assert_eq!(broker.subscriptions("b"), None);
}

#[tokio::test]
async fn delete_connection_keeps_the_session_unless_clean_session_is_set() {
    let (broker, _) = broker();
    assert!(!broker.disconnect("a", false, false));
    let mut client = RawClient::connect(&broker, &persistent_connect(V5, "a")).await;
    assert!(broker.disconnect("a", false, false));
    assert_eq!(client.expect_disconnect().await, Some(0x98));
    assert!(!broker.disconnect("a", false, false));
    let (mut client, present) = RawClient::resume(&broker, &persistent_connect(V5, "a")).await;
    assert!(present);
    assert!(broker.disconnect("a", true, false));
    assert_eq!(client.expect_disconnect().await, Some(0x98));
    assert!(!RawClient::resume(&broker, &persistent_connect(V5, "a")).await.1);
}

#[tokio::test]
async fn delete_connection_of_an_offline_client_keeps_its_session() {
    let (broker, _) = broker();
    RawClient::connect(&broker, &persistent_connect(V5, "a")).await.disconnect().await;
    assert!(!broker.disconnect("a", true, false));
    assert!(RawClient::resume(&broker, &persistent_connect(V5, "a")).await.1);
}
