//! Tests of broadcasts: response topics, and delays over a restart.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use device::client::{Client, Options};
use serde_json::json;

use crate::broker::Broker;
use crate::{NOW_MS, counting_handler, request, within_timeout};

#[tokio::test]
async fn broadcast_is_reported_with_the_commands_id_on_the_requested_topic() {
    let (broker, runs) = (Broker::start().await, Arc::new(AtomicUsize::new(0)));
    let mut options = broker.options(counting_handler(&runs));
    options.groups = vec!["pumps".to_owned()];
    options.broadcast_topics = vec!["device_status/request".to_owned()];
    options.response_topics = vec!["device_status/response".to_owned()];
    let device = Client::start(options).unwrap();
    let mut connection = broker.accept_and_subscribe(false).await;
    assert_eq!(connection.filter_count, 4);
    let mut broadcast = json!({"commandId": "c1", "attempt": 1, "command": "reboot", "expiresAt": NOW_MS / 1000 + 10,
                               "responseTopic": "device_status/response"});
    connection.send("device_status/request", broadcast.to_string()).await;
    let (topic, accepted) = connection.expect_publish().await;
    assert_eq!((topic.as_str(), &accepted["commandId"]), ("device_status/response", &json!("c1")));
    let succeeded = json!({"commandId": "c1", "attempt": 1, "status": "SUCCEEDED"});
    assert_eq!(connection.expect_publish().await, ("device_status/response".to_owned(), succeeded.clone()));
    connection.send("cmd/group/pumps/req", broadcast.to_string()).await;
    assert_eq!(connection.expect_publish().await, ("device_status/response".to_owned(), succeeded));
    broadcast["commandId"] = json!("c2");
    broadcast["responseTopic"] = json!("cmd/pump-8/resp");
    broadcast["command"] = json!("dance");
    connection.send("cmd/group/pumps/req", broadcast.to_string()).await;
    assert_eq!(connection.expect_report().await, "REJECTED UNKNOWN_COMMAND", "on the thing's own topic");
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    device.stop().await;
}

#[tokio::test]
async fn delayed_broadcast_survives_a_restart_and_starts_without_a_connection() {
    let broker = Broker::start().await;
    let folder = tempfile::tempdir().unwrap();
    let memory_file = Some(folder.path().join("memory.json"));
    let (clock, runs) = (Arc::new(AtomicI64::new(NOW_MS)), Arc::new(AtomicUsize::new(0)));
    let options = || {
        let clock = clock.clone();
        let mut options = broker.options(counting_handler(&runs));
        options.clock = Arc::new(move || clock.load(Ordering::SeqCst));
        options.groups = vec!["pumps".to_owned()];
        Options { memory_file: memory_file.clone(), ..options }
    };
    let device = Client::start(options()).unwrap();
    let mut connection = broker.accept_and_subscribe(false).await;
    let broadcast = json!({"commandId": "c1", "command": "reboot", "expiresAt": NOW_MS / 1000 + 100, "spread": 50});
    connection.send("cmd/group/pumps/req", broadcast.to_string()).await;
    connection.send_request(request("e1", "dance")).await;
    assert_eq!(connection.expect_report().await, "REJECTED UNKNOWN_COMMAND", "no report of the broadcast before it");
    device.stop().await;
    drop(connection);

    let device = Client::start(options()).unwrap();
    let stream = broker.accept_silently().await;
    clock.fetch_add(50_000, Ordering::SeqCst);
    within_timeout(async {
        while runs.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    drop(stream);
    let mut connection = broker.accept(true).await;
    let reports =
        [connection.expect_report().await, connection.expect_report().await, connection.expect_report().await];
    assert_eq!(reports, ["REJECTED UNKNOWN_COMMAND", "IN_PROGRESS", "SUCCEEDED"]);
    device.stop().await;
}
