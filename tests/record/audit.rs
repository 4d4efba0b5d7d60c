//! Who created, paused, resumed and canceled a command, when and why: on the command, and on each execution that it
//! ended.

use serde_json::{Value, json};

use super::operator::{accepted, arn, post_as};
use crate::fleet::{
    operator::{show, wait_for_state},
    simulated_things::{listed_target, shares, start_things},
};
use crate::world::World;
use device::fleet::BehaviourShares;

/// The entries of a history without their times.
fn without_times(history: &Value) -> Vec<Value> {
    let mut entries = history.as_array().expect("a history").clone();
    entries.iter_mut().for_each(|entry| drop(entry.as_object_mut().expect("an object").remove("at")));
    entries
}

fn times(history: &Value) -> Vec<&str> {
    history.as_array().expect("a history").iter().map(|entry| entry["at"].as_str().expect("a time")).collect()
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn fleet_command_and_its_executions_name_who_did_what_and_why() {
    let world = World::start().await;
    world.stack.registry.add_things("pumps", &["pump-1", "pump-2"]).expect("the group is valid");
    let _pump = world.thing("pump-1").await;
    let body = json!({"name": "reboot", "target": {"groups": ["pumps"]}, "delivery": "topic"});
    let id = accepted(&world, "ada", "/commands", body).await["commandId"].as_str().expect("an id").to_owned();
    wait_for_state(&world, &id, 10, "IN_PROGRESS").await;
    for (user, action, body) in [
        ("bob", "pause", json!({"why": "the pressure in hall 3 | rises"})),
        ("cyn", "resume", json!({})),
        ("dan", "cancel", json!({"why": "wrong firmware"})),
        ("eve", "cancel", json!({"force": true})),
    ] {
        world.advance(1).await;
        accepted(&world, user, &format!("/commands/{id}/{action}"), body).await;
    }
    world.advance(5).await;
    let shown = show(&world, &id).await;
    assert_eq!(
        without_times(&shown["history"]),
        [
            json!({"action": "CREATED", "by": arn("ada")}),
            json!({"action": "PAUSED", "by": arn("bob"), "why": "the pressure in hall 3 | rises"}),
            json!({"action": "RESUMED", "by": arn("cyn")}),
            json!({"action": "CANCELED", "by": arn("dan"), "why": "wrong firmware"}),
            json!({"action": "CANCELED", "by": arn("eve"), "force": true}),
        ]
    );
    let at = times(&shown["history"]);
    assert!(at.is_sorted() && at[0] < at[1] && at[1] < at[4], "{at:?}");
    for thing in ["pump-1", "pump-2"] {
        let path = format!("/commands/{id}/executions/{thing}?explain");
        let execution = world.get(&path).await.body;
        let steps = without_times(&execution["history"]);
        let canceled = json!({"status": "CANCELED", "reason": "CANCELED_BY_OPERATOR", "attempt": 1, "by": arn("dan"),
            "why": "wrong firmware"});
        assert_eq!(steps.last(), Some(&canceled), "{execution:#}");
        let sent = json!({"deliveryStatus": "SENT", "attempt": 1, "by": "dispatch-commands", "via": "topic"});
        assert_eq!(steps.get(1), Some(&sent), "{execution:#}");
        let why = format!("It was called off by {} (CANCELED_BY_OPERATOR): wrong firmware.", arn("dan"));
        let explanation = execution["explanation"].as_str().expect("an explanation");
        assert!(explanation.starts_with(&why), "{explanation}");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn why_of_a_failed_canary_survives_the_resume() {
    let world = World::start().await;
    let canary = start_things(&world, "canary", 3, shares(|shares| shares.fail = 1.0)).await;
    let rest = start_things(&world, "pump", 2, BehaviourShares::default()).await;
    let body =
        json!({"name": "reboot", "target": listed_target(&[&canary, &rest]), "rollout": {"canary": {"things": 3}}});
    let id = accepted(&world, "ada", "/commands", body).await["commandId"].as_str().expect("an id").to_owned();
    wait_for_state(&world, &id, 20, "PAUSED").await;
    accepted(&world, "bob", &format!("/commands/{id}/resume"), json!({"why": "they are on the bench"})).await;
    let done = wait_for_state(&world, &id, 20, "COMPLETED").await;
    let why = "0 of the 3 things of the canary succeeded, less than 100 %";
    assert_eq!(
        without_times(&done["history"])[1..],
        [
            json!({"action": "PAUSED", "by": "fan-out-command", "why": why}),
            json!({"action": "RESUMED", "by": arn("bob"), "why": "they are on the bench"}),
        ]
    );
    canary.stop().await;
    rest.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn abort_criterion_is_named_on_the_command_and_on_the_executions_that_it_ended() {
    let world = World::start().await;
    let failing = start_things(&world, "bad", 3, shares(|shares| shares.fail = 1.0)).await;
    let mute = start_things(&world, "mute", 1, shares(|shares| shares.mute = 1.0)).await;
    let criterion = json!({"failureType": "FAILED", "action": "CANCEL", "thresholdPercentage": 50,
        "minNumberOfExecutedThings": 3});
    let body = json!({"name": "reboot", "target": listed_target(&[&failing, &mute]),
        "abortConfig": {"criteriaList": [criterion]}});
    let id = accepted(&world, "ada", "/commands", body).await["commandId"].as_str().expect("an id").to_owned();
    wait_for_state(&world, &id, 20, "CANCELED").await;
    world.advance(5).await;
    let why = "CANCEL at 50.00 % FAILED of 3 things or more";
    let shown = show(&world, &id).await;
    let canceled = json!({"action": "CANCELED", "by": "tally-command", "why": why});
    assert_eq!(without_times(&shown["history"]).last(), Some(&canceled));
    let thing = &mute.things()[0];
    let ended = world.execution(&id, thing).await;
    let step =
        json!({"status": "CANCELED", "reason": "ABORT_CRITERIA", "attempt": 1, "by": "tally-command", "why": why});
    assert_eq!(without_times(&ended["history"]).last(), Some(&step), "{ended:#}");
    failing.stop().await;
    mute.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn command_for_one_thing_names_who_canceled_it_and_why() {
    let world = World::start().await;
    let body = json!({"name": "reboot", "target": {"things": ["pump-7"]}});
    let id = accepted(&world, "ada", "/commands", body).await["commandId"].as_str().expect("an id").to_owned();
    world.advance(3).await;
    let shown = accepted(&world, "bob", &format!("/commands/{id}/cancel"), json!({"why": "not today"})).await;
    let canceled = json!({"at": world.now(), "action": "CANCELED", "by": arn("bob"), "why": "not today"});
    assert_eq!(shown["history"][1], canceled, "{shown:#}");
    assert_eq!(show(&world, &id).await["history"], shown["history"]);
    let execution = world.execution(&id, "pump-7").await;
    let step = execution["history"].as_array().and_then(|history| history.last()).expect("a step");
    assert_eq!(
        (&step["by"], &step["why"], &step["at"]),
        (&json!(arn("bob")), &json!("not today"), &json!(world.now()))
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn why_has_to_be_a_short_printable_text() {
    let world = World::start().await;
    let path = "/commands/018bcfe5-687b-7000-8000-000000000000";
    for (action, body, field) in [
        ("cancel", json!({"why": ""}), "why"),
        ("cancel", json!({"why": 7}), "why"),
        ("pause", json!({"why": "a\nb"}), "why"),
        ("resume", json!({"why": "x".repeat(257)}), "why"),
        ("pause", json!({"force": true}), "force"),
        ("resume", json!({"because": "x"}), "because"),
    ] {
        let (status, shown) = post_as(&world, "ada", &format!("{path}/{action}"), &body).await;
        assert_eq!((status, &shown["field"]), (400, &json!(field)), "{action} {body}: {shown:#}");
    }
    world.end().await;
}
