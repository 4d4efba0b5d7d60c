//! Payloads that a shadow cannot hold, echoes that are no reports, and a shadow that is deleted.

use serde_json::{Value, json};

use crate::world::{COMMANDS, EXECUTIONS, World};

/// A POST body for delivery by shadow, with these members besides.
pub(super) fn body(more: &Value) -> Value {
    let mut body = json!({"name": "reboot", "target": {"things": ["pump-7"]}, "delivery": "shadow"});
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    body
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_payload_that_no_shadow_can_hold_is_422_with_the_reason() {
    let world = World::start().await;
    let deep = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!({"a": inner}));
    for (more, reason) in [
        (json!({"payload": deep(9)}), "levels"),
        (json!({"payload": [1, null]}), "null"),
        (json!({"payload": {"a": null}}), "null"),
        (json!({"payload": {"a": [{"b": null}]}, "shadow": "atlas"}), "payload"),
        (json!({"payload": deep(3), "shadow": "atlas"}), "levels"),
        (json!({"payload": {"a": "x".repeat(9000)}}), "bytes"),
        (json!({"shadow": "state"}), "attributes"),
        (json!({"shadow": "state", "payload": {}}), "attributes"),
        (json!({"shadow": "state", "payload": 7}), "attributes"),
        (json!({"shadow": "state", "payload": [1]}), "attributes"),
        (json!({"shadow": "state", "payload": {"a": null}}), "null"),
        (json!({"shadow": "state", "payload": {"a": 1, "command": "hello"}}), "the classic shadow holds commands"),
        (json!({"shadow": "state/cmd", "payload": {"c": {}}}), "shadow cmd holds commands in its member c"),
    ] {
        let response = world.post("/commands", &body(&more)).await;
        assert_eq!(response.status, 422, "{more}: {response:?}");
        let detail = response.body["detail"].as_str().expect("a detail");
        assert!(detail.contains(reason), "{more}: {detail}");
    }
    assert!(world.rows(EXECUTIONS).await.is_empty() && world.rows(COMMANDS).await.is_empty());
    assert!(world.shadow("pump-7", Some("cmd")).is_null() && world.shadow("pump-7", None).is_null());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn an_echoed_request_is_no_report() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    // A command by topic: an echo or a report in a shadow, in any dialect, is not about it.
    let command = world.command("pump-7", json!({"delivery": "topic", "payload": {"a": 1}})).await;
    let (_, request) = pump.next_json().await;
    let id = request["executionId"].as_str().expect("an id").to_owned();
    let relay = json!([{"reboot": {"message": {"a": 1}, "topic": format!("cmd/pump-7/resp/{id}"), "ttl": 300}}]);
    world.update_shadow(
        "pump-7",
        None,
        &json!({"desired": {"command": relay, "a": 1}, "reported": {"command": relay, "a": 1}}),
    );
    world.update_shadow("pump-7", Some("cmd"), &json!({"reported": {"c": {&id: {"status": "SUCCEEDED"}}}}));
    world.settle().await;
    assert_eq!(world.status(&command, "pump-7").await.0, "CREATED");

    // A command in the shadow `cmd`: the request, reported unchanged, has no status.
    let command = world.command("pump-7", json!({"delivery": "shadow", "payload": {"status": "SUCCEEDED"}})).await;
    let desired = world.shadow("pump-7", Some("cmd"))["state"]["desired"].clone();
    world.update_shadow("pump-7", Some("cmd"), &json!({"reported": desired}));
    world.settle().await;
    assert_eq!(world.status(&command, "pump-7").await.0, "CREATED");
    assert!(world.stack.sqs.peek("flaghoist-failures").is_empty());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_deleted_shadow_is_not_created_by_the_clean_up() {
    let world = World::start().await;
    world.update_shadow("pump-7", Some("cmd"), &json!({"reported": {"dialect": "map"}}));
    let command = world.command("pump-7", json!({"delivery": "shadow", "ttl": 300})).await;
    world.stack.shadows.delete("pump-7", Some("cmd")).expect("deleted");
    world.advance(300).await;
    assert_eq!(world.status(&command, "pump-7").await.0, "TIMED_OUT");
    assert!(
        world.shadow("pump-7", Some("cmd")).is_null(),
        "the shadow would declare that the thing takes commands in it"
    );
    assert!(world.rows(EXECUTIONS).await.iter().all(|row| row.get("due_at").is_none()));
    world.end().await;
}
