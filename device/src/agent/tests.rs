//! The agent's promises, for examples and for any interleaving.

use std::collections::HashMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const NOW: i64 = 1_000_000;

fn agent() -> Agent {
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

fn bytes(request: &Value) -> Vec<u8> {
    serde_json::to_vec(request).unwrap()
}

/// The answers among `actions`, and whether something starts.
fn split(actions: &[Action]) -> (Vec<Value>, usize) {
    let answer = |action: &Action| match action {
        Action::Respond { bytes, .. } => Some(serde_json::from_slice(bytes).unwrap()),
        Action::Start { .. } => None,
    };
    let answers: Vec<Value> = actions.iter().filter_map(answer).collect();
    let starts = actions.len() - answers.len();
    (answers, starts)
}

/// The status and reason of the only answer.
fn told(actions: &[Action]) -> (String, String) {
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
    let (mut after, actions) = Agent::restore(before.config.clone(), before.snapshot()).unwrap();
    assert_eq!(told(&actions), is("FAILED", "DEVICE_RESTARTED"));
    assert_eq!(told(&after.on_request(&bytes(&request("done", 1)), NOW)), is("SUCCEEDED", ""));
    assert_eq!(split(&after.on_session_lost()).0.len(), 2);
    assert!(Agent::restore(Config::new("x"), json!({"not": "a snapshot"})).is_err());
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

#[derive(Clone, Debug)]
enum Input {
    Request { id: u8, attempt: u32, expires_in_s: i64, heartbeat: u32, known: bool },
    Repeat(prop::sample::Index),
    Finish { nth: prop::sample::Index, ok: bool },
    Tick(i64),
    SessionLost,
    Restart,
    Noise(Vec<u8>),
}

fn inputs() -> impl Strategy<Value = Vec<Input>> {
    let request = (0..4u8, 1..4u32, -1..20i64, 0..4u32, prop::bool::weighted(0.9)).prop_map(
        |(id, attempt, expires_in_s, heartbeat, known)| Input::Request { id, attempt, expires_in_s, heartbeat, known },
    );
    let input = prop_oneof![
        4 => request,
        4 => any::<prop::sample::Index>().prop_map(Input::Repeat),
        4 => (any::<prop::sample::Index>(), any::<bool>()).prop_map(|(nth, ok)| Input::Finish { nth, ok }),
        3 => (0..5_000i64).prop_map(Input::Tick),
        1 => Just(Input::SessionLost),
        1 => Just(Input::Restart),
        1 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Input::Noise),
    ];
    prop::collection::vec(input, 0..60)
}

/// What an onlooker has seen of one attempt.
#[derive(Default)]
struct Seen {
    started: bool,
    last_seq: Option<u64>,
    verdict: Option<Value>,
}

#[derive(Default)]
struct Onlooker {
    seen: HashMap<(String, u64), Seen>,
    running: Vec<(String, u32)>,
}

impl Onlooker {
    /// `beat`: the answers are heartbeats, so that their numbers must grow and not only not shrink.
    fn watch(&mut self, actions: &[Action], expires_at_ms: Option<i64>, now_ms: i64, beat: bool) {
        for action in actions {
            match action {
                Action::Start { execution_id, attempt, .. } => {
                    assert!(expires_at_ms.is_some_and(|at| now_ms < at), "started after its expiry");
                    assert!(!self.running.iter().any(|(id, _)| id == execution_id), "two attempts at once");
                    let seen = self.seen.entry((execution_id.clone(), u64::from(*attempt))).or_default();
                    assert!(!std::mem::replace(&mut seen.started, true), "ran twice: {execution_id} {attempt}");
                    assert!(seen.verdict.is_none(), "ran after its verdict");
                    self.running.push((execution_id.clone(), *attempt));
                }
                Action::Respond { topic, bytes } => {
                    assert_eq!(topic, "cmd/pump-7/resp");
                    let answer: Value = serde_json::from_slice(bytes).unwrap();
                    let id = answer["executionId"].as_str().unwrap().to_owned();
                    let seen = self.seen.entry((id, answer["attempt"].as_u64().unwrap())).or_default();
                    if answer["status"] == "IN_PROGRESS" {
                        let seq = answer["seq"].as_u64().unwrap();
                        assert!(seen.verdict.is_none(), "runs after its verdict");
                        assert!(seen.last_seq.is_none_or(|last| if beat { last < seq } else { last <= seq }));
                        seen.last_seq = Some(seq);
                    } else {
                        assert_eq!(seen.verdict.get_or_insert_with(|| answer.clone()), &answer, "a verdict changed");
                    }
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn nothing_runs_twice_or_late_and_verdicts_never_change(inputs in inputs()) {
        let (mut agent, mut now, mut onlooker) = (agent(), NOW, Onlooker::default());
        let mut sent: Vec<(Vec<u8>, i64)> = Vec::new();
        for input in inputs {
            match input {
                Input::Request { id, attempt, expires_in_s, heartbeat, known } => {
                    let expires_at = now / 1000 + expires_in_s;
                    let command = if known { "reboot" } else { "dance" };
                    let request = json!({"executionId": format!("e{id}"), "attempt": attempt, "command": command,
                                         "expiresAt": expires_at, "heartbeat": heartbeat});
                    sent.push((bytes(&request), expires_at * 1000));
                    let actions = agent.on_request(&bytes(&request), now);
                    onlooker.watch(&actions, Some(expires_at * 1000), now, false);
                }
                Input::Repeat(nth) if !sent.is_empty() => {
                    let (request, expires_at_ms) = nth.get(&sent);
                    onlooker.watch(&agent.on_request(request, now), Some(*expires_at_ms), now, false);
                }
                Input::Finish { nth, ok } if !onlooker.running.is_empty() => {
                    let (id, attempt) = onlooker.running.remove(nth.index(onlooker.running.len()));
                    let outcome = if ok { Outcome::succeeded(None) } else { Outcome::failed("JAMMED", "") };
                    let actions = agent.on_finished(&id, attempt, outcome);
                    prop_assert_eq!(told(&actions).0, if ok { "SUCCEEDED" } else { "FAILED" });
                    onlooker.watch(&actions, None, now, false);
                }
                Input::Tick(by) => {
                    now += by;
                    onlooker.watch(&agent.on_tick(now), None, now, true);
                }
                Input::SessionLost => onlooker.watch(&agent.on_session_lost(), None, now, false),
                Input::Restart => {
                    onlooker.running.clear();
                    let (restored, actions) = Agent::restore(agent.config.clone(), agent.snapshot()).unwrap();
                    agent = restored;
                    onlooker.watch(&actions, None, now, false);
                }
                Input::Noise(bytes) => onlooker.watch(&agent.on_request(&bytes, now), None, now, false),
                Input::Repeat(_) | Input::Finish { .. } => {}
            }
            prop_assert_eq!(agent.running(), onlooker.running.len());
        }
    }
}
