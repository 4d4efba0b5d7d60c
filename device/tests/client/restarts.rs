//! Tests of restarts with a memory file.

use std::path::PathBuf;
use std::sync::Arc;

use device::agent::Outcome;
use device::client::{Client, Options};
use device::handlers::Handlers;
use tempfile::TempDir;
use tokio::sync::{Notify, mpsc};

use crate::broker::Broker;
use crate::{endless_handler, request};

fn memory_file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memory.json");
    (folder, path)
}

#[tokio::test]
async fn restart_reports_every_execution_and_runs_nothing_again() {
    let broker = Broker::start().await;
    let (_folder, path) = memory_file();
    let (sender, _canceled) = mpsc::unbounded_channel();
    let options = || Options { memory_file: Some(path.clone()), ..broker.options(endless_handler(sender.clone())) };
    let device = Client::start(options()).unwrap();
    let mut connection = broker.accept_and_subscribe(false).await;
    connection.send_request(request("e1", "pump")).await;
    assert_eq!(connection.expect_report().await, "IN_PROGRESS");
    connection.send("cmd/pump-7/cancel", r#"{"executionId":"e2","attempt":1}"#).await;
    device.stop().await;
    drop(connection);
    for _ in 0..2 {
        let device = Client::start(options()).unwrap();
        let mut connection = broker.accept(true).await;
        assert_eq!(connection.expect_report().await, "FAILED DEVICE_RESTARTED");
        let packet_id = connection.expect_subscribe().await;
        connection.grant(packet_id).await;
        connection.send_request(request("e2", "pump")).await;
        connection.send_request(request("e1", "pump")).await;
        assert_eq!(connection.expect_report().await, "FAILED DEVICE_RESTARTED", "no report of the canceled e2");
        device.stop().await;
    }
}

#[tokio::test]
async fn repeatable_command_is_started_again_after_a_restart() {
    let broker = Broker::start().await;
    let (_folder, path) = memory_file();
    let (sender, _canceled) = mpsc::unbounded_channel();
    let first = endless_handler(sender).safe_to_repeat("pump");
    let device = Client::start(Options { memory_file: Some(path.clone()), ..broker.options(first) }).unwrap();
    let mut connection = broker.accept_and_subscribe(false).await;
    connection.send_request(request("e1", "pump")).await;
    assert_eq!(connection.expect_report().await, "IN_PROGRESS");
    device.stop().await;
    let done = Arc::new(Notify::new());
    let second = Handlers::default().safe_to_repeat("pump").on("pump", {
        let done = done.clone();
        move |_| {
            let done = done.clone();
            async move {
                done.notified().await;
                Outcome::succeeded(None)
            }
        }
    });
    let device = Client::start(Options { memory_file: Some(path), ..broker.options(second) }).unwrap();
    let mut connection = broker.accept(false).await;
    assert_eq!(connection.expect_report().await, "IN_PROGRESS");
    let packet_id = connection.expect_subscribe().await;
    connection.grant(packet_id).await;
    done.notify_one();
    assert_eq!(connection.expect_report().await, "SUCCEEDED");
    device.stop().await;
}
