//! The agent's promises, by example.

use serde_json::{Value, json};

use super::*;

pub(super) const NOW: i64 = 1_000_000;

pub(super) fn agent() -> Agent {
    Agent::new(Config { commands: Some(["reboot".to_owned()].into()), ..Config::new("pump-7") })
}

fn request(id: &str, attempt: u32) -> Value {
    json!({"executionId": id, "attempt": attempt, "command": "reboot", "payload": {"delay": 5}, "ttl": 300,
           "expiresAt": NOW / 1000 + 300, "heartbeat": 30, "responseTopic": "cmd/pump-7/resp"})
}

fn with(mut request: Value, key: &str, value: Value) -> Vec<u8> {
    request[key] = value;
    bytes(&request)
}

pub(super) fn bytes(request: &Value) -> Vec<u8> {
    serde_json::to_vec(request).unwrap()
}

/// The answers among `actions`, and whether something starts.
pub(super) fn split(actions: &[Action]) -> (Vec<Value>, usize) {
    let answer = |action: &Action| match action {
        Action::Respond { bytes, .. } => Some(serde_json::from_slice(bytes).unwrap()),
        _ => None,
    };
    let starts = actions.iter().filter(|a| matches!(a, Action::Start { .. })).count();
    (actions.iter().filter_map(answer).collect(), starts)
}

/// The status and reason of the only answer.
pub(super) fn told(actions: &[Action]) -> (String, String) {
    let (answers, starts) = split(actions);
    assert_eq!((answers.len(), starts), (1, 0), "{actions:?}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&answers[0]["status"]), text(&answers[0]["statusReason"]["reasonCode"]))
}

fn is(status: &str, reason: &str) -> (String, String) {
    (status.to_owned(), reason.to_owned())
}

#[test]
fn a_request_is_accepted_started_and_ended() {
    let mut agent = agent();
    let actions = agent.on_request(&bytes(&request("e1", 1)), NOW);
    let (answers, _) = split(&actions);
    assert_eq!(answers, [json!({"executionId": "e1", "attempt": 1, "status": "IN_PROGRESS", "seq": 0})]);
    let start = Action::Start {
        execution_id: "e1".into(),
        attempt: 1,
        command: "reboot".into(),
        payload: json!({"delay": 5}),
        expires_at_ms: NOW + 300_000,
    };
    assert_eq!(actions[1], start);
    let ended = agent.on_finished("e1", 1, Outcome::succeeded(None));
    assert_eq!(told(&ended), is("SUCCEEDED", ""));
    assert_eq!(agent.running(), 0);
}

#[test]
fn a_repeated_request_gets_the_current_answer() {
    let mut agent = agent();
    let first = bytes(&request("e1", 1));
    agent.on_request(&first, NOW);
    agent.on_tick(NOW + 30_000);
    let (answers, starts) = split(&agent.on_request(&first, NOW + 30_001));
    assert_eq!((&answers[0]["seq"], starts), (&json!(1), 0));
    agent.on_finished("e1", 1, Outcome::failed("JAMMED", ""));
    assert_eq!(told(&agent.on_request(&first, NOW + 1_000_000)), is("FAILED", "JAMMED"));
}

#[test]
fn a_next_attempt_runs_only_after_a_failure() {
    let mut agent = agent();
    agent.on_request(&bytes(&request("e1", 1)), NOW);
    assert_eq!(told(&agent.on_request(&bytes(&request("e1", 2)), NOW)), is("IN_PROGRESS", ""));
    agent.on_finished("e1", 1, Outcome::failed("JAMMED", ""));
    let (_, starts) = split(&agent.on_request(&bytes(&request("e1", 2)), NOW));
    assert_eq!(starts, 1);
    assert_eq!(told(&agent.on_request(&bytes(&request("e1", 1)), NOW)), is("IN_PROGRESS", ""));
    agent.on_finished("e1", 2, Outcome::succeeded(None));
    let (answers, starts) = split(&agent.on_request(&bytes(&request("e1", 3)), NOW));
    assert_eq!((&answers[0]["status"], &answers[0]["attempt"], starts), (&json!("SUCCEEDED"), &json!(2), 0));
}

#[test]
fn what_has_expired_never_runs() {
    let mut agent = agent();
    let expires = NOW + 300_000;
    assert_eq!(told(&agent.on_request(&bytes(&request("e1", 1)), expires)), is("TIMED_OUT", "EXPIRED"));
    let (_, starts) = split(&agent.on_request(&bytes(&request("e2", 1)), expires - 1));
    assert_eq!(starts, 1);
    agent.config.tolerance_ms = 500;
    let (_, starts) = split(&agent.on_request(&bytes(&request("e3", 1)), expires + 499));
    assert_eq!(starts, 1);
}

#[test]
fn what_cannot_be_run_is_refused_or_ignored() {
    let mut agent = agent();
    let unknown = with(request("e1", 1), "command", json!("dance"));
    assert_eq!(told(&agent.on_request(&unknown, NOW)), is("REJECTED", "UNKNOWN_COMMAND"));
    let wrong = with(request("e2", 1), "expiresAt", json!("tomorrow"));
    assert_eq!(told(&agent.on_request(&wrong, NOW)), is("REJECTED", "MALFORMED_REQUEST"));
    assert_eq!(told(&agent.on_request(&bytes(&request("e2", 1)), NOW)), is("REJECTED", "MALFORMED_REQUEST"));
    assert_eq!(agent.on_request(b"\xff\x00", NOW), []);
    assert_eq!(agent.on_request(&vec![b' '; 128 * 1024 + 1], NOW), []);
    assert_eq!(agent.on_finished("nobody", 1, Outcome::succeeded(None)), []);
    assert_eq!(agent.ignored().values().sum::<u64>(), 4);
}

#[test]
fn an_answer_never_leaves_the_things_own_topics() {
    let mut agent = agent();
    for (n, asked, used) in [
        (1, json!("cmd/pump-7/response"), "cmd/pump-7/response"),
        (2, json!("$aws/rules/track/cmd/pump-7/resp"), "$aws/rules/track/cmd/pump-7/resp"),
        (3, json!("cmd/pump-8/resp"), "cmd/pump-7/resp"),
        (4, json!("cmd/pump-7/req"), "cmd/pump-7/resp"),
        (5, json!("$aws/things/pump-7/shadow/update"), "cmd/pump-7/resp"),
    ] {
        let actions = agent.on_request(&with(request(&format!("e{n}"), 1), "responseTopic", asked), NOW);
        assert!(matches!(&actions[0], Action::Respond { topic, .. } if topic == used), "{actions:?}");
    }
}

#[test]
fn a_restart_keeps_verdicts_and_fails_what_ran() {
    let mut before = agent();
    before.on_request(&bytes(&request("done", 1)), NOW);
    before.on_finished("done", 1, Outcome::succeeded(None));
    before.on_request(&bytes(&request("ran", 1)), NOW);
    let (mut after, actions) = Agent::restore(before.config.clone(), before.snapshot(), NOW).unwrap();
    let (answers, starts) = split(&actions);
    let said: Vec<_> = answers.iter().map(|a| (a["executionId"].as_str(), a["status"].as_str())).collect();
    let expected = [(Some("done"), Some("SUCCEEDED")), (Some("ran"), Some("FAILED"))];
    assert_eq!((&said[..], starts), (&expected[..], 0), "what was on its way may be lost");
    assert_eq!(told(&after.on_request(&bytes(&request("ran", 1)), NOW)), is("FAILED", "DEVICE_RESTARTED"));
    assert_eq!(told(&after.on_request(&bytes(&request("done", 1)), NOW)), is("SUCCEEDED", ""));
    assert_eq!(split(&after.on_session_lost()).0.len(), 2);
    assert!(Agent::restore(Config::new("x"), json!({"not": "a snapshot"}), NOW).is_err());
}

#[test]
fn too_many_at_once_are_refused_and_nothing_that_runs_is_forgotten() {
    let mut agent = agent();
    agent.config.remember = 2;
    for id in ["a", "b"] {
        agent.on_request(&bytes(&request(id, 1)), NOW);
    }
    assert_eq!(told(&agent.on_request(&bytes(&request("c", 1)), NOW)), is("REJECTED", "BUSY"));
    for id in ["a", "b"] {
        assert_eq!(told(&agent.on_finished(id, 1, Outcome::succeeded(None))), is("SUCCEEDED", ""));
    }
}

fn cancel(id: &str, attempt: u32) -> Vec<u8> {
    bytes(&json!({"executionId": id, "attempt": attempt}))
}

fn restarted(agent: &Agent, now_ms: i64) -> (Agent, Vec<Action>) {
    Agent::restore(agent.config.clone(), agent.snapshot(), now_ms).unwrap()
}

#[test]
fn a_cancel_stops_what_runs_and_nothing_is_told_of_it() {
    let mut agent = agent();
    agent.on_request(&bytes(&request("e1", 1)), NOW);
    let stop = Action::Stop { execution_id: "e1".into(), attempt: 1 };
    assert_eq!(agent.on_message("cmd/pump-7/cancel", &cancel("e1", 1), NOW), [stop]);
    assert_eq!(agent.on_cancel(&cancel("e1", 1), NOW), [], "once is enough");
    assert_eq!(agent.on_finished("e1", 1, Outcome::succeeded(None)), []);
    let (mut agent, actions) = restarted(&agent, NOW);
    assert_eq!(actions, []);
    for attempt in 1..3 {
        assert_eq!(agent.on_request(&bytes(&request("e1", attempt)), NOW), []);
    }
    assert_eq!((agent.running(), agent.on_tick(NOW + 60_000), agent.on_session_lost()), (0, vec![], vec![]));
}

#[test]
fn a_cancel_that_overtakes_its_request_is_remembered() {
    let mut agent = agent();
    assert_eq!(agent.on_cancel(&cancel("e1", 1), NOW), []);
    let (mut agent, _) = restarted(&agent, NOW);
    assert_eq!(agent.on_request(&bytes(&request("e1", 1)), NOW), []);
    assert_eq!(agent.on_request(&with(request("e1", 2), "expiresAt", json!("soon")), NOW), []);
    for unreadable in [&b"\xff"[..], b"{}", b"[]", br#"{"executionId":"a/b"}"#, &[b' '; 128 * 1024 + 1]] {
        assert_eq!(agent.on_cancel(unreadable, NOW), []);
    }
    assert_eq!(agent.ignored()["unreadable cancel"], 5);
}

#[test]
fn a_cancel_leaves_a_verdict_as_it_is_and_allows_no_other() {
    let mut agent = agent();
    agent.on_request(&bytes(&request("e1", 1)), NOW);
    agent.on_finished("e1", 1, Outcome::failed("JAMMED", ""));
    assert_eq!(agent.on_cancel(&cancel("e1", 2), NOW), []);
    let (mut agent, actions) = restarted(&agent, NOW);
    assert_eq!(told(&actions), is("FAILED", "JAMMED"));
    assert_eq!(told(&agent.on_request(&bytes(&request("e1", 2)), NOW)), is("FAILED", "JAMMED"));
}

#[test]
fn an_attempt_older_than_the_newest_that_was_asked_for_is_not_run() {
    let mut agent = agent();
    agent.on_request(&bytes(&request("e1", 1)), NOW);
    assert_eq!(told(&agent.on_request(&bytes(&request("e1", 3)), NOW)), is("IN_PROGRESS", ""));
    agent.on_finished("e1", 1, Outcome::failed("JAMMED", ""));
    let (mut agent, _) = restarted(&agent, NOW);
    assert_eq!(told(&agent.on_request(&bytes(&request("e1", 2)), NOW)), is("FAILED", "JAMMED"));
    assert_eq!(split(&agent.on_request(&bytes(&request("e1", 3)), NOW)).1, 1);
}

#[test]
fn what_is_safe_to_repeat_is_started_again_after_a_restart_unless_it_has_expired() {
    let mut agent = agent();
    agent.config.repeatable = ["reboot".to_owned()].into();
    agent.on_request(&bytes(&request("e1", 1)), NOW);
    // Refused, so that its time is not the first one's.
    agent.on_request(&with(request("e1", 2), "expiresAt", json!(NOW / 1000 + 900)), NOW);
    let kept = agent.clone();
    assert_eq!(split(&agent.on_tick(NOW + 30_000)).0[0]["seq"], 1);
    // The snapshot is older than the heartbeat.
    let (mut after, actions) = restarted(&kept, NOW + 40_000);
    let (answers, starts) = split(&actions);
    assert_eq!((answers.len(), answers[0]["seq"].as_u64(), starts), (1, Some(2), 1));
    assert!(matches!(&actions[1], Action::Start { payload, attempt: 1, .. } if *payload == json!({"delay": 5})));
    assert_eq!(split(&after.on_tick(NOW + 70_000)).0[0]["seq"], 3);
    assert_eq!(told(&after.on_finished("e1", 1, Outcome::succeeded(None))), is("SUCCEEDED", ""));
    let (_, actions) = restarted(&kept, NOW + 300_000);
    assert_eq!(told(&actions), is("FAILED", "DEVICE_RESTARTED"));
}

#[test]
fn within_the_tolerance_nothing_is_forgotten_as_expired() {
    let mut agent = agent();
    (agent.config.remember, agent.config.tolerance_ms) = (2, 500);
    let expires = NOW + 300_000;
    for (id, more_s) in [("used", 100), ("done", 0)] {
        let request = with(request(id, 1), "expiresAt", json!(expires / 1000 + more_s));
        agent.on_request(&request, expires + 1);
        agent.on_finished(id, 1, Outcome::succeeded(None));
    }
    agent.on_cancel(&cancel("other", 1), expires + 2);
    assert_eq!(told(&agent.on_request(&bytes(&request("done", 1)), expires + 3)), is("SUCCEEDED", ""));
}

/// The document that the shadow service answers a get with.
fn shadow(version: u64, entries: Value, reported: Value) -> Vec<u8> {
    bytes(&json!({"state": {"desired": {"c": entries}, "reported": reported}, "version": version}))
}

fn delta(version: u64, entries: Value) -> Vec<u8> {
    bytes(&json!({"state": {"c": entries}, "version": version}))
}

#[test]
fn the_shadow_is_asked_for_with_each_connection_and_says_once_that_it_is_used() {
    let mut agent = agent();
    assert_eq!((agent.on_subscribed(), agent.topics().len()), (vec![], 2));
    agent.config.shadow = true;
    assert_eq!(agent.topics().len(), 5);
    let topic = |name: &str| format!("$aws/things/pump-7/shadow/name/cmd/{name}");
    assert!(matches!(&agent.on_subscribed()[..], [Action::Publish { topic: get, .. }] if *get == topic("get")));
    let declares = |actions: Vec<Action>| match &actions[..] {
        [Action::Publish { topic: update, .. }] => *update == topic("update"),
        _ => false,
    };
    let mut accepted = |reported| agent.on_message(&topic("get/accepted"), &shadow(1, json!({}), reported), NOW);
    assert!(declares(accepted(json!({}))));
    assert!(declares(accepted(json!({"dialect": "atlas"}))));
    assert_eq!(accepted(json!({"dialect": "map"})), []);
    assert!(declares(agent.on_message(&topic("get/rejected"), br#"{"code":404}"#, NOW)));
    assert_eq!(agent.on_message(&topic("get/rejected"), br#"{"code":403}"#, NOW), []);
    assert_eq!(agent.on_message(&topic("update/accepted"), b"{}", NOW), []);
}

#[test]
fn an_old_delta_is_not_acted_on_until_the_shadow_was_begun_anew() {
    let mut agent = agent();
    agent.config.shadow = true;
    let (accepted, update) =
        ("$aws/things/pump-7/shadow/name/cmd/get/accepted", "$aws/things/pump-7/shadow/name/cmd/update/delta");
    let map = json!({"dialect": "map"});
    assert_eq!(agent.on_message(accepted, &shadow(7, json!({}), map.clone()), NOW), []);
    assert_eq!(agent.on_message(update, &delta(6, json!({"e1": request("e1", 1)})), NOW), [], "withdrawn since");
    assert_eq!(split(&agent.on_message(update, &delta(8, json!({"e2": request("e2", 1)})), NOW)).1, 1);
    agent.on_message(accepted, &shadow(1, json!({}), map), NOW);
    assert_eq!(split(&agent.on_message(update, &delta(2, json!({"e3": request("e3", 1)})), NOW)).1, 1);
}

#[test]
fn a_next_attempt_in_the_shadow_is_refused_once_and_looked_for_again() {
    let mut agent = agent();
    agent.config.shadow = true;
    let update = "$aws/things/pump-7/shadow/name/cmd/update/delta";
    agent.on_request(&bytes(&request("e1", 1)), NOW);
    let second = delta(1, json!({"e1": request("e1", 2), "bad/id": {}, "e9": 7}));
    assert_eq!(told(&agent.on_message(update, &second, NOW)), is("IN_PROGRESS", ""));
    assert_eq!(agent.on_message(update, &second, NOW), [], "it was told already");
    let actions = agent.on_finished("e1", 1, Outcome::failed("JAMMED", ""));
    assert!(matches!(&actions[..], [Action::Respond { .. }, Action::Publish { .. }]), "{actions:?}");
    let late = bytes(&request("e1", 2));
    assert_eq!(split(&agent.on_message(update, &second, NOW + 300_000)).0[0]["status"], "TIMED_OUT");
    assert_eq!(told(&agent.on_request(&late, NOW)), is("TIMED_OUT", "EXPIRED"));
}
