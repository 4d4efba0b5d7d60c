//! Shadows without room for a request: refused where the caller chose the shadow, retried where the cloud did.

use serde_json::{Value, json};

use super::bad::body;
use crate::world::{COMMANDS, EXECUTIONS, World};

/// Number of executions, and of rows that hold an execution in a lane.
async fn executions_and_laned(world: &World) -> (usize, usize) {
    let rows = world.rows(EXECUTIONS).await;
    let waiting = rows.iter().filter(|row| row.to_string().contains("lane") && row["ids"] != json!({"L": []})).count();
    (rows.iter().filter(|row| row.get("status").is_some()).count(), waiting)
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_full_shadow_is_413_and_nothing_is_written() {
    let full = json!({"reported": {"log": "x".repeat(7900)}});
    for (shadow, name) in [("map", Some("cmd")), ("map/other", Some("other")), ("atlas", None), ("state", None)] {
        let world = World::start().await;
        world.update_shadow("pump-7", name, &full);
        let before = world.shadow("pump-7", name)["state"].clone();
        for token in ["a", "a", "b"] {
            let more = json!({"shadow": shadow, "payload": {"text": "y".repeat(300)}});
            let headers = [("idempotency-key", token)];
            let response = world.request(reqwest::Method::POST, "/commands", &headers, body(&more).to_string()).await;
            assert_eq!((response.status, &response.body["field"]), (413, &json!("payload")), "{shadow}: {response:?}");
        }
        world.settle().await;
        assert_eq!(world.shadow("pump-7", name)["state"], before, "{shadow}");
        assert_eq!((world.rows(COMMANDS).await.len(), executions_and_laned(&world).await), (0, (0, 0)), "{shadow}");
        // With room in the shadow, the same POST with the same key is accepted.
        world.update_shadow("pump-7", name, &json!({"reported": {"log": null}}));
        let more = json!({"shadow": shadow, "payload": {"text": "y".repeat(300)}});
        let response = world
            .request(reqwest::Method::POST, "/commands", &[("idempotency-key", "a")], body(&more).to_string())
            .await;
        assert_eq!(response.status, 202, "{shadow}: {response:?}");
        let command = response.body["commandId"].as_str().expect("an id").to_owned();
        assert_eq!(world.cancel(&command, false).await.status, 200);
        let state = world.shadow("pump-7", name)["state"].to_string();
        assert!(!state.contains("yyy"), "{shadow}: the canceled request is left in {state}");
        world.end().await;
    }
}

/// The caller did not choose the shadow, so a full one is no error of the request.
#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_full_shadow_that_the_cloud_chose_is_retried_until_it_has_room() {
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
        assert_eq!(world.shadow("pump-7", name)["state"], before, "{dialect}: the full shadow was written");

        world.update_shadow("pump-7", name, &json!({"reported": {"log": null}}));
        world.advance(300).await;
        assert_eq!(world.execution(&command, "pump-7").await["deliveryStatus"], "SENT", "{dialect}");
        assert!(world.shadow("pump-7", name)["state"]["desired"].to_string().contains(&id), "{dialect}");
        let mut pump = world.thing("pump-7").await;
        pump.report("pump-7", json!({"executionId": id, "status": "SUCCEEDED"})).await;
        world.settle().await;
        assert_eq!(world.status(&command, "pump-7").await.0, "SUCCEEDED", "{dialect}");
        pump.leave().await;

        // The shadow stays full: the execution expires unsent and leaves its lane.
        world.update_shadow("pump-7", name, &json!({"reported": {"log": "x".repeat(7800)}}));
        let command = send(300).await;
        world.advance(301).await;
        let expired = ("TIMED_OUT".to_owned(), "EXPIRED".to_owned());
        assert_eq!(world.status(&command, "pump-7").await, expired, "{dialect}");
        world.advance(60).await;
        let rows = world.rows(EXECUTIONS).await;
        assert!(rows.iter().all(|row| row.get("due_at").is_none()), "{dialect}");
        let queues: Vec<&Value> = rows.iter().filter_map(|row| row.get("ids")).collect();
        assert!(
            queues.iter().all(|ids| **ids == json!({"L": []})),
            "{dialect}: an execution is left in a lane: {queues:?}"
        );
        world.end().await;
    }
}
