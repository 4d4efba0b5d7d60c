//! Shadows that are full, echo everything, or can't hold what they are to hold.

use serde_json::{Value, json};

use crate::world::{COMMANDS, EXECUTIONS, World};

fn body(more: &Value) -> Value {
    let mut body = json!({"name": "reboot", "target": {"things": ["pump-7"]}, "delivery": "shadow"});
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    body
}

/// Rows that say that there is, or was, an execution; and those whose lane it is still in.
async fn left(world: &World) -> (usize, usize) {
    let rows = world.rows(EXECUTIONS).await;
    let waiting = rows.iter().filter(|row| row.to_string().contains("lane") && row["ids"] != json!({"L": []})).count();
    (rows.iter().filter(|row| row.get("status").is_some()).count(), waiting)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_shadow_is_413_and_nothing_is_left_half_written() {
    let full = json!({"reported": {"log": "x".repeat(7900)}});
    for (shadow, name) in [("map", Some("cmd")), ("map/other", Some("other")), ("atlas", None), ("state", None)] {
        let world = World::start().await;
        world.update_shadow("pump-7", name, &full);
        let before = world.shadow("pump-7", name)["state"].clone();
        for token in ["a", "a", "b"] {
            let more = json!({"shadow": shadow, "payload": {"text": "y".repeat(300)}});
            let headers = [("idempotency-key", token)];
            let answer = world.request(reqwest::Method::POST, "/commands", &headers, body(&more).to_string()).await;
            assert_eq!((answer.status, &answer.body["field"]), (413, &json!("payload")), "{shadow}: {answer:?}");
        }
        world.stack.settle().await;
        assert_eq!(world.shadow("pump-7", name)["state"], before, "{shadow}");
        assert_eq!((world.rows(COMMANDS).await.len(), left(&world).await), (0, (0, 0)), "{shadow}");
        // It is nothing of the thing's: with room, the same request is taken, and is the first one of its key.
        world.update_shadow("pump-7", name, &json!({"reported": {"log": null}}));
        let more = json!({"shadow": shadow, "payload": {"text": "y".repeat(300)}});
        let answer = world
            .request(reqwest::Method::POST, "/commands", &[("idempotency-key", "a")], body(&more).to_string())
            .await;
        assert_eq!(answer.status, 202, "{shadow}: {answer:?}");
        let command = answer.body["commandId"].as_str().expect("an id").to_owned();
        assert_eq!(world.cancel(&command, false).await.status, 200);
        // The next one finds nothing of this one.
        let world_is_clean = !world.shadow("pump-7", name)["state"].to_string().contains("yyy");
        assert!(world_is_clean, "{shadow}");
        world.end().await;
    }
}

/// Nobody has asked for a shadow here, so that it is full is no error of the request's.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_shadow_that_the_cloud_has_chosen_is_tried_again_until_it_has_room() {
    for (dialect, name) in [("map", Some("cmd")), ("atlas", None)] {
        let world = World::start().await;
        world.update_shadow("pump-7", Some("cmd"), &json!({"reported": {"dialect": dialect}}));
        world.update_shadow("pump-7", name, &json!({"reported": {"log": "x".repeat(7800)}}));
        let before = world.shadow("pump-7", name)["state"].clone();
        let send =
            async |ttl: u32| world.command("pump-7", json!({"payload": {"text": "y".repeat(300)}, "ttl": ttl})).await;
        let command = send(1200).await;
        let shown = world.execution(&command, "pump-7").await;
        assert_eq!((&shown["deliveryStatus"], &shown["status"]), (&json!("PENDING"), &json!("CREATED")), "{dialect}");
        let id = shown["executionId"].as_str().expect("an id").to_owned();
        world.advance(120).await;
        assert_eq!(world.shadow("pump-7", name)["state"], before, "{dialect}: half written");

        world.update_shadow("pump-7", name, &json!({"reported": {"log": null}}));
        world.advance(300).await;
        assert_eq!(world.execution(&command, "pump-7").await["deliveryStatus"], "SENT", "{dialect}");
        assert!(world.shadow("pump-7", name)["state"]["desired"].to_string().contains(&id), "{dialect}");
        let mut pump = world.thing("pump-7").await;
        pump.report("pump-7", json!({"executionId": id, "status": "SUCCEEDED"})).await;
        world.stack.settle().await;
        assert_eq!(world.status(&command, "pump-7").await.0, "SUCCEEDED", "{dialect}");
        pump.leave().await;

        // It stays full: it never went out, and nobody waits behind it.
        world.update_shadow("pump-7", name, &json!({"reported": {"log": "x".repeat(7800)}}));
        let command = send(300).await;
        world.advance(301).await;
        let expired = ("TIMED_OUT".to_owned(), "EXPIRED".to_owned());
        assert_eq!(world.status(&command, "pump-7").await, expired, "{dialect}");
        world.advance(60).await;
        let rows = world.rows(EXECUTIONS).await;
        assert!(rows.iter().all(|row| row.get("due_at").is_none()), "{dialect}");
        let queues: Vec<&Value> = rows.iter().filter_map(|row| row.get("ids")).collect();
        assert!(queues.iter().all(|ids| **ids == json!({"L": []})), "{dialect}: it is still in its lane: {queues:?}");
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_shadow_can_hold_is_422_with_the_reason() {
    let world = World::start().await;
    let deep = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!({"a": inner}));
    for (more, said) in [
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
    ] {
        let answer = world.post("/commands", &body(&more)).await;
        assert_eq!(answer.status, 422, "{more}: {answer:?}");
        let detail = answer.body["detail"].as_str().expect("a detail");
        assert!(detail.contains(said), "{more}: {detail}");
    }
    assert!(world.rows(EXECUTIONS).await.is_empty() && world.rows(COMMANDS).await.is_empty());
    assert!(world.shadow("pump-7", Some("cmd")).is_null() && world.shadow("pump-7", None).is_null());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_only_echoed_is_no_success() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    // Actor topic: an echo in a shadow, in any dialect, is no answer to it.
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
    world.stack.settle().await;
    assert_eq!(world.status(&command, "pump-7").await.0, "CREATED");

    // In the shadow `cmd`: the request itself, reported as it is, has no status.
    let command = world.command("pump-7", json!({"delivery": "shadow", "payload": {"status": "SUCCEEDED"}})).await;
    let desired = world.shadow("pump-7", Some("cmd"))["state"]["desired"].clone();
    world.update_shadow("pump-7", Some("cmd"), &json!({"reported": desired}));
    world.stack.settle().await;
    assert_eq!(world.status(&command, "pump-7").await.0, "CREATED");
    assert!(world.stack.sqs.peek("flaghoist-failures").is_empty());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shadow_that_was_deleted_meanwhile_does_not_come_back_when_its_command_goes() {
    let world = World::start().await;
    world.update_shadow("pump-7", Some("cmd"), &json!({"reported": {"dialect": "map"}}));
    let command = world.command("pump-7", json!({"delivery": "shadow", "ttl": 300})).await;
    world.stack.shadows.delete("pump-7", Some("cmd")).expect("deleted");
    world.advance(300).await;
    assert_eq!(world.status(&command, "pump-7").await.0, "TIMED_OUT");
    assert!(world.shadow("pump-7", Some("cmd")).is_null(), "the thing would seem to say that it takes commands there");
    assert!(world.rows(EXECUTIONS).await.iter().all(|row| row.get("due_at").is_none()));
    world.end().await;
}
