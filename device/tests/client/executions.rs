//! Tests of requests and cancels: commands run once, are reported, and stop when they are canceled.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use device::handlers::Handlers;
use rumqttc::Packet;
use serde_json::json;
use tokio::sync::mpsc;

use crate::broker::Broker;
use crate::{counting_handler, endless_handler, request, within_timeout};

#[tokio::test]
async fn repeated_request_runs_once() {
    let (broker, runs) = (Broker::start().await, Arc::new(AtomicUsize::new(0)));
    let device = broker.start_device(counting_handler(&runs));
    let mut connection = broker.accept_and_subscribe(false).await;
    connection.send_request(request("e1", "reboot")).await;
    assert_eq!([connection.expect_report().await, connection.expect_report().await], ["IN_PROGRESS", "SUCCEEDED"]);
    connection.send_request(request("e1", "reboot")).await;
    assert_eq!(connection.expect_report().await, "SUCCEEDED");
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    device.stop().await;
    assert!(matches!(connection.read().await, Packet::Disconnect));
}

#[tokio::test]
async fn malformed_messages_and_panicking_handlers_do_not_stop_the_device() {
    let broker = Broker::start().await;
    let handlers = Handlers::default().on("explode", |_| async { panic!("requested by the test") });
    let device = broker.start_device(handlers);
    let mut connection = broker.accept_and_subscribe(false).await;
    connection.send_request(&b"\xff\x00"[..]).await;
    connection.send_request(request("e1", "dance")).await;
    assert_eq!(connection.expect_report().await, "REJECTED UNKNOWN_COMMAND");
    connection.send_request(json!({"executionId": "e2"}).to_string()).await;
    assert_eq!(connection.expect_report().await, "REJECTED MALFORMED_REQUEST");
    connection.send_request(request("e3", "explode")).await;
    let reports = [connection.expect_report().await, connection.expect_report().await];
    assert_eq!(reports, ["IN_PROGRESS", "FAILED HANDLER_PANICKED"]);
    device.stop().await;
}

#[tokio::test]
async fn canceled_command_is_stopped_which_is_confirmed() {
    let broker = Broker::start().await;
    let (sender, mut canceled) = mpsc::unbounded_channel();
    let device = broker.start_device(endless_handler(sender));
    let mut connection = broker.accept_and_subscribe(false).await;
    connection.send_request(request("e1", "pump")).await;
    assert_eq!(connection.expect_report().await, "IN_PROGRESS");
    connection.send("cmd/pump-7/cancel", r#"{"executionId":"e1","attempt":1}"#).await;
    assert_eq!(within_timeout(canceled.recv()).await.unwrap(), "e1");
    assert_eq!(connection.expect_report().await, "CANCELED");
    connection.send_request(request("e1", "pump")).await;
    assert_eq!(connection.expect_report().await, "CANCELED", "it is not run again");
    device.stop().await;
}
