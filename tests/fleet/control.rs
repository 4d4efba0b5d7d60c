//! A fleet command is paused, resumed and canceled, in whatever state it is, and its executions are listed.

use serde_json::{Value, json};

use crate::{
    twice::unread,
    world::{Answer, World},
};

/// Creates a command for this group; its id.
async fn command(world: &World, group: &str, more: Value) -> String {
    let mut body = json!({"name": "reboot", "target": {"groups": [group]}});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    let answer = world.post("/commands", &body).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    answer.body["commandId"].as_str().expect("an id").to_owned()
}

/// Waits until it stands so.
async fn until(world: &World, id: &str, state: &str) {
    for _ in 0..20 {
        world.stack.settle().await;
        let shown = world.get(&format!("/commands/{id}")).await.body;
        if shown["state"] == state {
            return;
        }
        world.advance(1).await;
    }
    panic!("{id} is never {state}: {:#}", world.get(&format!("/commands/{id}")).await.body);
}

async fn asked(world: &World, id: &str, what: &str) -> Answer {
    world.request(reqwest::Method::POST, &format!("/commands/{id}/{what}"), &[], "").await
}

/// Status, and the state or the field that is wrong.
async fn ask(world: &World, id: &str, what: &str) -> (u16, String) {
    let answer = asked(world, id, what).await;
    let word = if answer.status == 200 { &answer.body["state"] } else { &answer.body["field"] };
    (answer.status, word.as_str().unwrap_or_default().to_owned())
}

fn is(status: u16, word: &str) -> (u16, String) {
    (status, word.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_canceled_in_whatever_state_it_is() {
    let world = World::start().await;
    world.stack.registry.add_things("pumps", &["pump-7"]).expect("a group");
    world.stack.registry.add_group("empty", None).expect("a group");

    let later = json!({"schedule": {"notBefore": "2027-01-15T12:00:00Z"}});
    let scheduled = command(&world, "pumps", later).await;
    until(&world, &scheduled, "SCHEDULED").await;
    let running = command(&world, "pumps", json!({})).await;
    until(&world, &running, "IN_PROGRESS").await;
    let paused = command(&world, "pumps", json!({})).await;
    until(&world, &paused, "IN_PROGRESS").await;
    assert_eq!(ask(&world, &paused, "pause").await, is(200, "PAUSED"));
    for id in [&scheduled, &running, &paused] {
        assert_eq!(ask(&world, id, "cancel").await, is(200, "CANCELED"));
        assert_eq!(ask(&world, id, "cancel").await, is(200, "CANCELED"), "twice is once");
        for what in ["pause", "resume"] {
            assert_eq!(ask(&world, id, what).await, is(409, "state"));
        }
    }
    until(&world, &running, "CANCELED").await;

    let empty = command(&world, "empty", json!({})).await;
    until(&world, &empty, "COMPLETED").await;
    for what in ["cancel", "pause", "resume"] {
        assert_eq!(ask(&world, &empty, what).await, is(409, "state"), "{what}");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_planned_is_canceled_too() {
    let world = World::with_template(&[], unread).await;
    world.stack.registry.add_things("pumps", &["pump-7"]).expect("a group");
    let id = command(&world, "pumps", json!({})).await;
    assert_eq!(world.get(&format!("/commands/{id}")).await.body["state"], "PLANNING");
    assert_eq!(ask(&world, &id, "cancel").await, is(200, "CANCELED"));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn to_pause_twice_is_to_pause_once_and_only_what_is_paused_is_resumed() {
    let world = World::start().await;
    world.stack.registry.add_things("pumps", &["pump-7"]).expect("a group");
    let id = command(&world, "pumps", json!({"rollout": {"maximumPerMinute": 1}})).await;
    until(&world, &id, "IN_PROGRESS").await;
    assert_eq!(ask(&world, &id, "resume").await, is(409, "state"));
    assert_eq!(ask(&world, &id, "pause").await, is(200, "PAUSED"));
    assert_eq!(ask(&world, &id, "pause").await, is(200, "PAUSED"));
    assert_eq!(ask(&world, &id, "resume").await, is(200, "IN_PROGRESS"));
    let refused = asked(&world, &id, "resume").await;
    assert_eq!((refused.status, &refused.body["detail"]), (409, &json!("it is not paused")), "{refused:?}");

    // One thing is asked at once: there is nothing to pause.
    let one = world.command("pump-9", json!({})).await;
    for what in ["pause", "resume"] {
        assert_eq!(ask(&world, &one, what).await, is(409, "commandId"));
    }
    for what in ["pause", "resume", "cancel"] {
        assert_eq!(asked(&world, "018bcfe5-687b-7000-8000-000000000000", what).await.status, 404);
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn executions_are_listed_by_status_and_a_page_at_a_time() {
    let world = World::start().await;
    let names = ["pump-1", "pump-2", "pump-3", "pump-4"];
    world.stack.registry.add_things("pumps", &names).expect("a group");
    let mut devices = Vec::new();
    for name in names {
        devices.push((name, world.thing(name).await));
    }
    let id = command(&world, "pumps", json!({})).await;
    for (name, device) in &mut devices {
        let (_, request) = device.next_json().await;
        let status = if *name == "pump-3" { "SUCCEEDED" } else { "FAILED" };
        device.report(name, json!({"executionId": request["executionId"], "status": status})).await;
    }
    until(&world, &id, "COMPLETED").await;
    let list = async |query: &str| {
        let answer = world.get(&format!("/commands/{id}/executions{query}")).await;
        assert_eq!(answer.status, 200, "{query}: {answer:?}");
        let things = answer.body["executions"].as_array().expect("a list").iter();
        let things: Vec<String> = things.map(|shown| shown["thing"].as_str().expect("a name").to_owned()).collect();
        (things, answer.body["nextToken"].as_str().map(str::to_owned))
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
        let answer = world.get(&format!("/commands/{id}/executions?{query}")).await;
        assert_eq!((answer.status, &answer.body["field"]), (400, &json!(field)), "{answer:?}");
    }
    world.end().await;
}
