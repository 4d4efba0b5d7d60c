//! Pause, resume and cancel of a fleet command in each state, and the list of its executions.

use serde_json::{Value, json};

use super::operator::create;
use crate::{
    idempotency::with_streams_disabled,
    world::{ApiResponse, World},
};

/// Creates a command for this group; its id.
async fn create_for_group(world: &World, group: &str, members: Value) -> String {
    let mut body = json!({"target": {"groups": [group]}});
    body.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
    create(world, body).await
}

/// Waits until the command has this state.
async fn wait_for_state(world: &World, id: &str, state: &str) {
    for _ in 0..20 {
        world.settle().await;
        let shown = world.get(&format!("/commands/{id}")).await.body;
        if shown["state"] == state {
            return;
        }
        world.advance(1).await;
    }
    panic!("{id} is not {state} after 20 seconds: {:#}", world.get(&format!("/commands/{id}")).await.body);
}

async fn post(world: &World, id: &str, action: &str) -> ApiResponse {
    world.request(reqwest::Method::POST, &format!("/commands/{id}/{action}"), &[], "").await
}

/// The HTTP status of an action, and the command's state or the field of the problem.
async fn result_of(world: &World, id: &str, action: &str) -> (u16, String) {
    let response = post(world, id, action).await;
    let text = if response.status == 200 { &response.body["state"] } else { &response.body["field"] };
    (response.status, text.as_str().unwrap_or_default().to_owned())
}

fn result(status: u16, text: &str) -> (u16, String) {
    (status, text.to_owned())
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn command_can_be_canceled_in_every_state_but_completed() {
    let world = World::start().await;
    world.stack.registry.add_things("pumps", &["pump-7"]).expect("the group is valid");
    world.stack.registry.add_group("empty", None).expect("the group is valid");

    let later = json!({"schedule": {"notBefore": "2027-01-15T12:00:00Z"}});
    let scheduled = create_for_group(&world, "pumps", later).await;
    wait_for_state(&world, &scheduled, "SCHEDULED").await;
    let running = create_for_group(&world, "pumps", json!({})).await;
    wait_for_state(&world, &running, "IN_PROGRESS").await;
    let paused = create_for_group(&world, "pumps", json!({})).await;
    wait_for_state(&world, &paused, "IN_PROGRESS").await;
    assert_eq!(result_of(&world, &paused, "pause").await, result(200, "PAUSED"));
    for id in [&scheduled, &running, &paused] {
        assert_eq!(result_of(&world, id, "cancel").await, result(200, "CANCELED"));
        assert_eq!(result_of(&world, id, "cancel").await, result(200, "CANCELED"), "a repeated cancel changes nothing");
        for action in ["pause", "resume"] {
            assert_eq!(result_of(&world, id, action).await, result(409, "state"), "{action}");
        }
    }
    wait_for_state(&world, &running, "CANCELED").await;

    let empty = create_for_group(&world, "empty", json!({})).await;
    wait_for_state(&world, &empty, "COMPLETED").await;
    for action in ["cancel", "pause", "resume"] {
        assert_eq!(result_of(&world, &empty, action).await, result(409, "state"), "{action}");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn command_can_be_canceled_while_it_is_planned() {
    let world = World::with_template(&[], with_streams_disabled).await;
    world.stack.registry.add_things("pumps", &["pump-7"]).expect("the group is valid");
    let id = create_for_group(&world, "pumps", json!({})).await;
    assert_eq!(world.get(&format!("/commands/{id}")).await.body["state"], "PLANNING");
    assert_eq!(result_of(&world, &id, "cancel").await, result(200, "CANCELED"));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn pause_can_be_repeated_and_only_a_paused_command_is_resumed() {
    let world = World::start().await;
    world.stack.registry.add_things("pumps", &["pump-7"]).expect("the group is valid");
    let id = create_for_group(&world, "pumps", json!({"rollout": {"maximumPerMinute": 1}})).await;
    wait_for_state(&world, &id, "IN_PROGRESS").await;
    assert_eq!(result_of(&world, &id, "resume").await, result(409, "state"));
    assert_eq!(result_of(&world, &id, "pause").await, result(200, "PAUSED"));
    assert_eq!(result_of(&world, &id, "pause").await, result(200, "PAUSED"));
    assert_eq!(result_of(&world, &id, "resume").await, result(200, "IN_PROGRESS"));
    let refused = post(&world, &id, "resume").await;
    assert_eq!((refused.status, &refused.body["detail"]), (409, &json!("it is not paused")), "{refused:?}");

    // The request of a command for one thing is sent at once: nothing of it can be paused.
    let single = world.command("pump-9", json!({})).await;
    for action in ["pause", "resume"] {
        assert_eq!(result_of(&world, &single, action).await, result(409, "commandId"), "{action}");
    }
    for action in ["pause", "resume", "cancel"] {
        let unknown = post(&world, "018bcfe5-687b-7000-8000-000000000000", action).await;
        assert_eq!(unknown.status, 404, "{action}: {unknown:?}");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn executions_are_listed_by_status_and_in_pages() {
    let world = World::start().await;
    let names = ["pump-1", "pump-2", "pump-3", "pump-4"];
    world.stack.registry.add_things("pumps", &names).expect("the group is valid");
    let mut devices = Vec::new();
    for name in names {
        devices.push((name, world.thing(name).await));
    }
    let id = create_for_group(&world, "pumps", json!({})).await;
    for (name, device) in &mut devices {
        let (_, request) = device.next_json().await;
        let status = if *name == "pump-3" { "SUCCEEDED" } else { "FAILED" };
        device.report(name, json!({"executionId": request["executionId"], "status": status})).await;
    }
    wait_for_state(&world, &id, "COMPLETED").await;
    let list = async |query: &str| {
        let response = world.get(&format!("/commands/{id}/executions{query}")).await;
        assert_eq!(response.status, 200, "{query}: {response:?}");
        let executions = response.body["executions"].as_array().expect("the response has executions").iter();
        let things: Vec<String> =
            executions.map(|shown| shown["thing"].as_str().expect("an execution has a thing").to_owned()).collect();
        (things, response.body["nextToken"].as_str().map(str::to_owned))
    };
    assert_eq!(list("").await.0, names);
    assert_eq!(list("?status=FAILED").await.0, ["pump-1", "pump-2", "pump-4"]);
    assert_eq!(list("?status=IN_PROGRESS").await, (vec![], None));
    let (mut found, mut token) = list("?status=FAILED&limit=2").await;
    while let Some(next) = token {
        let (more, after) = list(&format!("?status=FAILED&limit=2&nextToken={next}")).await;
        found.extend(more);
        token = after;
    }
    assert_eq!(found, ["pump-1", "pump-2", "pump-4"]);
    for (query, field) in [
        ("status=BROKEN", "status"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("nextToken=x", "nextToken"),
        ("stauts=FAILED", "stauts"),
    ] {
        let response = world.get(&format!("/commands/{id}/executions?{query}")).await;
        assert_eq!((response.status, &response.body["field"]), (400, &json!(field)), "{response:?}");
    }
    world.end().await;
}

async fn patch(world: &World, id: &str, rollout: Value) -> ApiResponse {
    world
        .request(reqwest::Method::PATCH, &format!("/commands/{id}"), &[], json!({"rollout": rollout}).to_string())
        .await
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn rate_of_a_command_can_be_changed_until_it_has_ended() {
    let world = World::start().await;
    world.stack.registry.add_things("pumps", &["pump-1", "pump-2", "pump-3"]).expect("the group is valid");
    world.stack.registry.add_group("empty", None).expect("the group is valid");
    let canary = json!({"things": 1});
    let rollout = json!({"maximumPerMinute": 1, "canary": canary});
    let id = create_for_group(&world, "pumps", json!({"rollout": rollout})).await;
    wait_for_state(&world, &id, "IN_PROGRESS").await;
    let shown = world.get(&format!("/commands/{id}")).await.body;
    assert_eq!((&shown["rollout"]["maximumPerMinute"], history_length(&shown)), (&json!(1), 1));

    let rate =
        json!({"baseRatePerMinute": 2, "incrementFactor": 2, "rateIncreaseCriteria": {"numberOfNotifiedThings": 9}});
    for (status, rollout) in [
        (200, json!({"maximumPerMinute": 2})),
        (200, json!({"maximumPerMinute": 3, "exponentialRate": rate})),
        (200, json!({"exponentialRate": rate})),
    ] {
        let changed = patch(&world, &id, rollout.clone()).await;
        assert_eq!(changed.status, status, "{changed:?}");
        let shown = world.get(&format!("/commands/{id}")).await.body;
        assert_eq!(shown["rollout"], changed.body["rollout"]);
        assert_eq!(shown["rollout"]["canary"]["things"], 1, "the canary is that of the creation: {shown:#}");
        assert_eq!(
            shown["rollout"]["maximumPerMinute"], rollout["maximumPerMinute"],
            "the rate is replaced: {shown:#}"
        );
        let last = shown["history"].as_array().and_then(|entries| entries.last()).cloned().unwrap_or_default();
        assert_eq!((&last["action"], &last["by"]), (&json!("CHANGED"), &json!("unknown caller")), "{last}");
        world.advance(1).await;
    }
    let repeated = patch(&world, &id, json!({"exponentialRate": rate})).await;
    assert_eq!((repeated.status, history_length(&repeated.body)), (200, 4), "{repeated:?}");
    assert_eq!(repeated.body["history"][1]["change"], "rollout.maximumPerMinute: 1 to 2");
    control_is(&world, &id, "pause").await;
    assert_eq!(patch(&world, &id, json!({"maximumPerMinute": 60})).await.status, 200, "a paused command");
    control_is(&world, &id, "cancel").await;

    let refused = async |id: &str| {
        let response = patch(&world, id, json!({"maximumPerMinute": 600})).await;
        (response.status, response.body["field"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(refused(&id).await, result(409, "state"), "a canceled command");
    let at_once = create_for_group(&world, "pumps", json!({})).await;
    assert_eq!(refused(&at_once).await, result(409, "rollout"));
    let ended = create_for_group(&world, "empty", json!({"rollout": {"maximumPerMinute": 1}})).await;
    wait_for_state(&world, &ended, "COMPLETED").await;
    assert_eq!(refused(&ended).await, result(409, "state"), "a completed command");
    assert_eq!(refused(&world.command("pump-9", json!({})).await).await, result(409, "commandId"));
    assert_eq!(refused("018bcfe5-687b-7000-8000-000000000000").await, result(404, ""));
    world.end().await;
}

fn history_length(shown: &Value) -> usize {
    shown["history"].as_array().map_or(0, Vec::len)
}

async fn control_is(world: &World, id: &str, action: &str) {
    assert_eq!(post(world, id, action).await.status, 200, "{action}");
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn creation_that_is_repeated_after_a_change_of_the_rate_is_the_same_command() {
    let world = World::start().await;
    world.stack.registry.add_things("pumps", &["pump-1", "pump-2"]).expect("the group is valid");
    let body =
        json!({"name": "reboot", "target": {"groups": ["pumps"]}, "rollout": {"maximumPerMinute": 1}}).to_string();
    let create = async || {
        let key = [("idempotency-key", "order-7")];
        world.request(reqwest::Method::POST, "/commands", &key, body.clone()).await
    };
    let created = create().await;
    let id = created.body["commandId"].as_str().expect("an id");
    assert_eq!(patch(&world, id, json!({"maximumPerMinute": 2})).await.status, 200);
    let repeated = create().await;
    assert_eq!((repeated.status, &repeated.body["commandId"]), (202, &json!(id)), "{repeated:?}");
    assert_eq!(world.get(&format!("/commands/{id}")).await.body["rollout"]["maximumPerMinute"], 2);
    world.end().await;
}
