//! Tests of commands in the named shadow `cmd`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use device::client::{Client, Options};
use serde_json::{Value, json};

use crate::broker::Broker;
use crate::{counting_handler, request};

#[tokio::test]
async fn command_in_the_shadow_and_on_the_request_topic_runs_once() {
    let (broker, runs) = (Broker::start().await, Arc::new(AtomicUsize::new(0)));
    let device = Client::start(Options { shadow: true, ..broker.options(counting_handler(&runs)) }).unwrap();
    let topic = |name: &str| format!("$aws/things/pump-7/shadow/name/cmd/{name}");
    let entry: Value = serde_json::from_slice(&request("", "reboot")).unwrap();
    let mut connection = broker.accept_and_subscribe(false).await;
    assert_eq!(connection.expect_publish().await, (topic("get"), json!({})));
    connection.send(&topic("get/rejected"), r#"{"code":404,"message":"No shadow exists with name: 'cmd'"}"#).await;
    let declaration = json!({"state": {"reported": {"dialect": "map"}}});
    assert_eq!(connection.expect_publish().await, (topic("update"), declaration));
    let delta = json!({"state": {"c": {"e1": entry}}, "version": 2}).to_string();
    connection.send(&topic("update/delta"), delta.clone()).await;
    assert_eq!([connection.expect_report().await, connection.expect_report().await], ["IN_PROGRESS", "SUCCEEDED"]);
    connection.send(&topic("update/delta"), delta).await;
    connection.send_request(request("e1", "reboot")).await;
    assert_eq!(connection.expect_report().await, "SUCCEEDED");
    drop(connection);

    // The broker kept the session: the device does not subscribe, and gets the shadow all the same.
    let mut connection = broker.accept(true).await;
    assert_eq!(connection.expect_publish().await, (topic("get"), json!({})));
    let state = json!({"desired": {"c": {"e1": entry, "e2": entry}}, "reported": {"dialect": "map"}});
    connection.send(&topic("get/accepted"), json!({"state": state, "version": 3}).to_string()).await;
    let reports =
        [connection.expect_report().await, connection.expect_report().await, connection.expect_report().await];
    assert_eq!(reports, ["SUCCEEDED", "IN_PROGRESS", "SUCCEEDED"]);
    assert_eq!(runs.load(Ordering::SeqCst), 2);
    device.stop().await;
}
