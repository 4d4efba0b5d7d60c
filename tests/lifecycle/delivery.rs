//! Delivery: a queued command, a payload that no shadow can hold, and a desired state.

use reqwest::Method;
use serde_json::{Value, json};

use super::{explanation, history_lines, report, status};
use crate::world::World;

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_queued_command_is_sent_when_its_device_subscribes() {
    let world = World::start().await;
    let command = world.command("pump-7", json!({})).await;
    assert_eq!(
        explanation(&world, &command).await,
        "It waits for pump-7 to connect. If that does not happen, it expires at 2027-01-15T08:05:00.000Z."
    );
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!(shown["nextAt"], "2027-01-15T08:05:00.000Z");
    world.advance(30).await;
    let mut pump = world.thing("pump-7").await;
    let (_, request) = pump.next_json().await;
    world.settle().await;
    assert_eq!(world.execution(&command, "pump-7").await["deliveryStatus"], "DELIVERED");
    report(&world, &mut pump, &request, "SUCCEEDED").await;
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!(history_lines(&shown), ["1 CREATED", "1 QUEUED", "1 SENT", "1 DELIVERED", "1 SUCCEEDED"]);
    let actors: Vec<_> =
        shown["history"].as_array().expect("a history").iter().map(|entry| entry["by"].clone()).collect();
    assert_eq!(actors[1..], ["command-api", "dispatch-commands", "device", "device"].map(Value::from));
    assert_eq!(shown["nextAt"], Value::Null);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_payload_that_the_shadow_cannot_hold_is_refused() {
    let world = World::start().await;
    let post = |more: Value| {
        let mut body = json!({"name": "set", "target": {"things": ["pump-7"]}, "delivery": "shadow"});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let world = &world;
        async move { world.post("/commands", &body).await }
    };
    for (more, status, field) in [
        (json!({"shadow": "state"}), 422, "payload"),
        (json!({"shadow": "state", "payload": "on"}), 422, "payload"),
        (json!({"shadow": "state", "payload": {"light": null}}), 422, "payload"),
        (json!({"shadow": "atlas", "lane": "valve"}), 422, "lane"),
        (json!({"payload": {"text": "x".repeat(9000)}}), 422, "payload"),
    ] {
        let response = post(more).await;
        assert_eq!((response.status, &response.body["field"]), (status, &json!(field)), "{response:?}");
    }
    let mut full = post(json!({"payload": {"text": "x".repeat(3000)}})).await;
    assert_eq!(full.status, 202, "{full:?}");
    for _ in 0..3 {
        full = post(json!({"payload": {"text": "x".repeat(3000)}})).await;
    }
    assert_eq!((full.status, &full.body["field"]), (413, &json!("payload")), "{full:?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_desired_state_succeeds_when_the_device_reports_it() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let body = json!({"delivery": "shadow", "shadow": "state/config", "payload": {"light": "on"}});
    let command = world.command("pump-7", body).await;
    assert_eq!(
        explanation(&world, &command).await,
        "It is in a shadow of pump-7, whose device has not answered. \
         If it has not begun by 2027-01-15T08:04:55.000Z, it is given up (NO_RESPONSE)."
    );
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!(shown["via"], "shadow/state/config");
    let topic = "$aws/things/pump-7/shadow/name/config/update";
    assert!(pump.publish(topic, json!({"state": {"reported": {"light": "on"}}}).to_string()).await);
    world.settle().await;
    assert_eq!(status(&world, &command).await.0, "SUCCEEDED");
    let lists =
        [format!("/commands/{command}/executions?explain=true"), "/things/pump-7/executions?explain".to_owned()];
    for path in lists {
        let listed = world.request(Method::GET, &path, &[], "").await;
        let text = listed.body["executions"][0]["explanation"].clone();
        assert_eq!(text, "The device said SUCCEEDED. Nothing more will happen.", "{path}");
    }
    world.end().await;
}
