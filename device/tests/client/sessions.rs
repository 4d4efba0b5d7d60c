//! Tests of reconnects: subscriptions are renewed and reports are sent again.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use device::client::Client;
use device::handlers::Handlers;

use crate::broker::Broker;
use crate::{counting_handler, request};

#[tokio::test]
async fn lost_session_is_subscribed_and_reported_again() {
    let (broker, runs) = (Broker::start().await, Arc::new(AtomicUsize::new(0)));
    let device = broker.start_device(counting_handler(&runs));
    let mut connection = broker.accept_and_subscribe(false).await;
    connection.send_request(request("e1", "reboot")).await;
    assert_eq!([connection.expect_report().await, connection.expect_report().await], ["IN_PROGRESS", "SUCCEEDED"]);
    drop(connection);

    let mut connection = broker.accept(true).await;
    connection.send_request(request("e2", "reboot")).await;
    assert_eq!(connection.expect_report().await, "IN_PROGRESS", "the session was kept: no SUBSCRIBE");
    assert_eq!(connection.expect_report().await, "SUCCEEDED");
    drop(connection);

    let mut connection = broker.accept_and_subscribe(false).await;
    assert_eq!([connection.expect_report().await, connection.expect_report().await], ["SUCCEEDED", "SUCCEEDED"]);
    device.stop().await;
}

#[tokio::test]
async fn subscription_without_suback_is_made_again() {
    let broker = Broker::start().await;
    let device = broker.start_device(Handlers::default());
    let mut connection = broker.accept(false).await;
    connection.expect_subscribe().await;
    drop(connection);
    broker.accept_and_subscribe(true).await;
    device.stop().await;
}

#[tokio::test]
async fn filters_are_subscribed_in_groups_of_eight_and_are_in_place_after_the_last_suback() {
    let broker = Broker::start().await;
    let mut options = broker.options(Handlers::default());
    options.shadow = true;
    options.groups = (0..8).map(|n| format!("group-{n}")).collect();
    let device = Client::start(options).unwrap();
    let mut connection = broker.accept(false).await;
    let first = connection.expect_subscribe().await;
    connection.grant(first).await;
    connection.expect_subscribe().await;
    drop(connection);

    let mut connection = broker.accept(true).await;
    let packet_ids = [connection.expect_subscribe().await, connection.expect_subscribe().await];
    connection.filter_count = 8;
    connection.grant(packet_ids[0]).await;
    connection.send_request(request("e1", "dance")).await;
    assert_eq!(connection.expect_report().await, "REJECTED UNKNOWN_COMMAND", "before the get of the shadow");
    connection.filter_count = 5;
    connection.grant(packet_ids[1]).await;
    assert!(connection.expect_publish().await.0.ends_with("/shadow/name/cmd/get"));
    device.stop().await;
}
