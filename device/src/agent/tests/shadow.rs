//! Tests of requests in the named shadow `cmd`.

use super::*;

/// A message of the shadow service on `get/accepted`.
fn whole_shadow(version: u64, entries: Value, reported: Value) -> Vec<u8> {
    to_bytes(&json!({"state": {"desired": {"c": entries}, "reported": reported}, "version": version}))
}

/// A message of the shadow service on `update/delta`.
fn delta(version: u64, entries: Value) -> Vec<u8> {
    to_bytes(&json!({"state": {"c": entries}, "version": version}))
}

#[test]
fn each_connection_gets_the_shadow_and_declares_its_use_if_it_is_not_declared() {
    let mut agent = new_agent();
    assert_eq!((agent.on_subscribed(), agent.topics().len()), (vec![], 2));
    agent.config.shadow = true;
    assert_eq!(agent.topics().len(), 5);
    let topic = |name: &str| format!("$aws/things/pump-7/shadow/name/cmd/{name}");
    assert!(matches!(&agent.on_subscribed()[..], [Action::Publish { topic: get, .. }] if *get == topic("get")));
    let declares = |actions: Vec<Action>| match &actions[..] {
        [Action::Publish { topic: update, .. }] => *update == topic("update"),
        _ => false,
    };
    let mut accepted =
        |reported| agent.on_message(&topic("get/accepted"), &whole_shadow(1, json!({}), reported), NOW_MS);
    assert!(declares(accepted(json!({}))));
    assert!(declares(accepted(json!({"dialect": "atlas"}))));
    assert_eq!(accepted(json!({"dialect": "map"})), []);
    assert!(declares(agent.on_message(&topic("get/rejected"), br#"{"code":404}"#, NOW_MS)));
    assert_eq!(agent.on_message(&topic("get/rejected"), br#"{"code":403}"#, NOW_MS), []);
    assert_eq!(agent.on_message(&topic("update/accepted"), b"{}", NOW_MS), []);
}

#[test]
fn outdated_delta_is_ignored_until_a_get_shows_that_the_shadow_was_recreated() {
    let mut agent = new_agent();
    agent.config.shadow = true;
    let (accepted, update) =
        ("$aws/things/pump-7/shadow/name/cmd/get/accepted", "$aws/things/pump-7/shadow/name/cmd/update/delta");
    let map = json!({"dialect": "map"});
    let starts = |actions: Vec<Action>| reports_and_starts(&actions).1;
    assert_eq!(agent.on_message(accepted, &whole_shadow(7, json!({}), map.clone()), NOW_MS), []);
    let outdated = agent.on_message(update, &delta(6, json!({"e1": request("e1", 1)})), NOW_MS);
    assert_eq!(outdated, [], "removed from the shadow since then");
    assert_eq!(starts(agent.on_message(update, &delta(8, json!({"e2": request("e2", 1)})), NOW_MS)), 1);
    agent.on_message(accepted, &whole_shadow(1, json!({}), map), NOW_MS);
    assert_eq!(starts(agent.on_message(update, &delta(2, json!({"e3": request("e3", 1)})), NOW_MS)), 1);
}

#[test]
fn next_attempt_in_the_shadow_is_refused_once_and_read_again_after_a_failure() {
    let mut agent = new_agent();
    agent.config.shadow = true;
    let update = "$aws/things/pump-7/shadow/name/cmd/update/delta";
    agent.on_request(&to_bytes(&request("e1", 1)), NOW_MS);
    let second = delta(1, json!({"e1": request("e1", 2), "bad/id": {}, "e9": 7}));
    assert_eq!(only_report(&agent.on_message(update, &second, NOW_MS)), status("IN_PROGRESS", ""));
    assert_eq!(agent.on_message(update, &second, NOW_MS), [], "already reported");
    let actions = agent.on_finished("e1", 1, Outcome::failed("JAMMED", ""));
    assert!(matches!(&actions[..], [Action::Report { .. }, Action::Publish { .. }]), "{actions:?}");
    let late = to_bytes(&request("e1", 2));
    let expired = agent.on_message(update, &second, NOW_MS + 300_000);
    assert_eq!(reports_and_starts(&expired).0[0]["status"], "TIMED_OUT");
    assert_eq!(only_report(&agent.on_request(&late, NOW_MS)), status("TIMED_OUT", "EXPIRED"));
}

#[test]
fn desired_state_is_reported_once_and_an_outdated_one_is_not() {
    let mut agent = new_agent();
    agent.config.desired_state = true;
    let topic = |operation: &str| format!("$aws/things/pump-7/shadow/{operation}");
    assert_eq!(agent.topics().len(), 4);
    assert!(matches!(&agent.on_subscribed()[..], [Action::Publish { topic: get, .. }] if *get == topic("get")));
    let reported = |actions: &[Action]| match actions {
        [Action::Publish { topic: update, bytes }] if *update == topic("update") => {
            serde_json::from_slice::<Value>(bytes).unwrap()["state"]["reported"].clone()
        }
        _ => json!(null),
    };
    let delta = |version: u64, state: Value| to_bytes(&json!({"state": state, "version": version}));
    let actions = agent.on_message(&topic("update/delta"), &delta(3, json!({"light": "on"})), NOW_MS);
    assert_eq!(reported(&actions), json!({"light": "on"}));
    let outdated = agent.on_message(&topic("update/delta"), &delta(2, json!({"light": "off"})), NOW_MS);
    assert_eq!(outdated, []);
    assert_eq!(agent.on_message(&topic("update/delta"), &delta(4, json!({"command": [1]})), NOW_MS), []);
    // The shadow was deleted, and starts again at version 1.
    let whole = json!({"state": {"desired": {"a": 1}, "delta": {"a": 1}}, "version": 1});
    assert_eq!(reported(&agent.on_message(&topic("get/accepted"), &to_bytes(&whole), NOW_MS)), json!({"a": 1}));
}
