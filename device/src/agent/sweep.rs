//! Any order and repetition of requests, cancels and restarts, by topic, by broadcast and by shadow: the agent's promises hold.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::tests::{NOW, agent, bytes, told};
use super::*;

#[derive(Clone, Debug)]
enum Input {
    Request { id: u8, attempt: u32, expires_in_s: i64, heartbeat: u32, spread: u8, command: &'static str, way: Way },
    Repeat(prop::sample::Index),
    Cancel { id: u8, attempt: u32, names: [bool; 2] },
    Finish { nth: prop::sample::Index, ok: bool },
    Tick(i64),
    SessionLost,
    Restart,
    Noise(Way, Vec<u8>),
}

#[derive(Clone, Copy, Debug)]
enum Way {
    Topic,
    Group,
    Shadow,
    Delta,
    Cancel,
}

impl Way {
    fn topic(self) -> String {
        match self {
            Self::Topic => topic::request("pump-7"),
            Self::Group => topic::group("pumps"),
            Self::Cancel => topic::cancel("pump-7"),
            Self::Shadow => shadow::topic("pump-7", "get/accepted"),
            Self::Delta => shadow::topic("pump-7", "update/delta"),
        }
    }

    fn id(self, id: u8) -> String {
        format!("{}{id}", if matches!(self, Self::Group) { 'c' } else { 'e' })
    }

    fn wrap(self, id: &str, mut request: Value) -> Vec<u8> {
        match self {
            Self::Topic | Self::Cancel | Self::Group => {
                request[name(id)] = id.into();
                bytes(&request)
            }
            Self::Shadow => bytes(&json!({"state": {"desired": {"c": {id: request}}}, "version": 1})),
            Self::Delta => bytes(&json!({"state": {"c": {id: request}}, "version": 1})),
        }
    }
}

/// What an id is called.
fn name(id: &str) -> &'static str {
    if id.starts_with('c') { "commandId" } else { "executionId" }
}

fn inputs() -> impl Strategy<Value = Vec<Input>> {
    let way = prop_oneof![2 => Just(Way::Topic), 2 => Just(Way::Group), 1 => Just(Way::Shadow), 1 => Just(Way::Delta)]
        .boxed();
    let command = prop_oneof![6 => Just("reboot"), 2 => Just("ping"), 1 => Just("dance"), 1 => Just("")];
    let request = (0..4u8, 1..4u32, -1..20i64, 0..4u32, 0..20u8, command, way.clone()).prop_map(
        |(id, attempt, expires_in_s, heartbeat, spread, command, way)| Input::Request {
            id,
            attempt,
            expires_in_s,
            heartbeat,
            spread,
            command,
            way,
        },
    );
    let noise = (prop_oneof![3 => way, 1 => Just(Way::Cancel)], prop::collection::vec(any::<u8>(), 0..40));
    let input = prop_oneof![
        4 => request,
        4 => any::<prop::sample::Index>().prop_map(Input::Repeat),
        1 => (0..4u8, 1..4u32, any::<[bool; 2]>()).prop_map(|(id, attempt, names)| Input::Cancel { id, attempt, names }),
        4 => (any::<prop::sample::Index>(), any::<bool>()).prop_map(|(nth, ok)| Input::Finish { nth, ok }),
        3 => (0..5_000i64).prop_map(Input::Tick),
        1 => Just(Input::SessionLost),
        1 => Just(Input::Restart),
        1 => noise.prop_map(|(way, bytes)| Input::Noise(way, bytes)),
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
    /// Until when each attempt may start, as its requests said.
    expiries: HashSet<(String, u32, i64)>,
    canceled: HashSet<String>,
    succeeded: HashSet<String>,
    /// The newest attempt of each that has begun.
    begun: HashMap<String, u32>,
    /// What ran when the device was restarted, and may be started again if it is safe to repeat.
    cut_short: Vec<(String, u32)>,
}

impl Onlooker {
    /// `beat`: the answers are heartbeats, so that their numbers must grow and not only not shrink.
    fn watch(&mut self, actions: &[Action], now_ms: i64, beat: bool) {
        for action in actions {
            match action {
                Action::Start { execution_id: id, attempt, command, expires_at_ms, .. } => {
                    assert!(self.expiries.contains(&(id.clone(), *attempt, *expires_at_ms)), "not what was asked for");
                    assert!(now_ms < *expires_at_ms, "started after its expiry");
                    assert!(!self.running.iter().any(|(running, _)| running == id), "two attempts at once");
                    assert!(!self.canceled.contains(id), "ran after a cancel");
                    assert!(!self.succeeded.contains(id), "ran after a success");
                    let seen = self.seen.entry((id.clone(), u64::from(*attempt))).or_default();
                    assert!(seen.verdict.is_none(), "ran after its verdict");
                    let again = command == "ping" && self.cut_short.contains(&(id.clone(), *attempt));
                    assert!(!std::mem::replace(&mut seen.started, true) || again, "ran twice: {id} {attempt}");
                    let newest = self.begun.insert(id.clone(), *attempt);
                    assert!(newest.is_none_or(|newest| newest < *attempt || again), "an older attempt");
                    self.running.push((id.clone(), *attempt));
                }
                Action::Stop { execution_id, attempt } => {
                    let stopped = (execution_id.clone(), *attempt);
                    assert!(self.running.contains(&stopped), "stopped what did not run");
                    self.running.retain(|running| *running != stopped);
                }
                Action::Respond { topic, bytes } => {
                    assert_eq!(topic, "cmd/pump-7/resp");
                    let answer: Value = serde_json::from_slice(bytes).unwrap();
                    let [execution, command] = ["executionId", "commandId"].map(|name| answer[name].as_str());
                    let id = execution.xor(command).unwrap().to_owned();
                    assert_eq!(answer[name(&id)].as_str(), Some(&*id));
                    let canceled = self.canceled.contains(&id);
                    let seen = self.seen.entry((id.clone(), answer["attempt"].as_u64().unwrap())).or_default();
                    assert!(!canceled || seen.verdict.is_some(), "told of what was canceled");
                    if answer["status"] == "IN_PROGRESS" {
                        let seq = answer["seq"].as_u64().unwrap();
                        assert!(seen.verdict.is_none(), "runs after its verdict");
                        assert!(seen.last_seq.is_none_or(|last| if beat { last < seq } else { last <= seq }));
                        seen.last_seq = Some(seq);
                    } else {
                        if answer["status"] == "SUCCEEDED" {
                            self.succeeded.insert(id);
                        }
                        assert_eq!(seen.verdict.get_or_insert_with(|| answer.clone()), &answer, "a verdict changed");
                    }
                }
                Action::Publish { topic, .. } => assert!(topic.starts_with("$aws/things/pump-7/shadow/name/cmd/")),
            }
        }
    }
}

fn shadowed() -> Agent {
    let mut agent = agent();
    agent.config.shadow = true;
    agent.config.groups = vec!["pumps".to_owned()];
    agent.config.commands = Some(["reboot".to_owned(), "ping".to_owned()].into());
    agent.config.repeatable = ["ping".to_owned()].into();
    agent
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn nothing_runs_twice_late_or_after_a_cancel_and_verdicts_never_change(inputs in inputs()) {
        let (mut agent, mut now, mut onlooker) = (shadowed(), NOW, Onlooker::default());
        let mut sent: Vec<(String, Vec<u8>)> = Vec::new();
        for input in inputs {
            match input {
                Input::Request { id, attempt, expires_in_s, heartbeat, spread, command, way } => {
                    let (id, expires_at) = (way.id(id), now / 1000 + expires_in_s);
                    onlooker.expiries.insert((id.clone(), attempt, expires_at * 1000));
                    let request = json!({"attempt": attempt, "command": command, "heartbeat": heartbeat,
                                         "expiresAt": expires_at, "spread": spread});
                    let message = (way.topic(), way.wrap(&id, request));
                    onlooker.watch(&agent.on_message(&message.0, &message.1, now), now, false);
                    sent.push(message);
                }
                Input::Cancel { id, attempt, names } => {
                    let mut cancel = json!({"attempt": attempt});
                    for (way, _) in [Way::Topic, Way::Group].into_iter().zip(names).filter(|(_, named)| *named) {
                        let id = way.id(id);
                        cancel[name(&id)] = id.clone().into();
                        onlooker.canceled.insert(id);
                    }
                    let message = (Way::Cancel.topic(), bytes(&cancel));
                    onlooker.watch(&agent.on_message(&message.0, &message.1, now), now, false);
                    sent.push(message);
                }
                Input::Repeat(nth) if !sent.is_empty() => {
                    let (topic, message) = nth.get(&sent);
                    onlooker.watch(&agent.on_message(topic, message, now), now, false);
                }
                Input::Finish { nth, ok } if !onlooker.running.is_empty() => {
                    let (id, attempt) = onlooker.running.remove(nth.index(onlooker.running.len()));
                    let outcome = if ok { Outcome::succeeded(None) } else { Outcome::failed("JAMMED", "") };
                    let mut actions = agent.on_finished(&id, attempt, outcome);
                    onlooker.watch(&actions, now, false);
                    actions.retain(|action| !matches!(action, Action::Publish { .. }));
                    prop_assert_eq!(told(&actions).0, if ok { "SUCCEEDED" } else { "FAILED" });
                }
                Input::Tick(by) => {
                    now += by;
                    onlooker.watch(&agent.on_held(now), now, false);
                    prop_assert!(agent.next_held_ms().is_none_or(|at| now < at));
                    onlooker.watch(&agent.on_tick(now), now, true);
                    prop_assert!(agent.next_beat_ms().is_none_or(|at| now < at));
                }
                Input::SessionLost => onlooker.watch(&agent.on_session_lost(), now, false),
                Input::Restart => {
                    onlooker.cut_short = std::mem::take(&mut onlooker.running);
                    let (restored, actions) = Agent::restore(agent.config.clone(), agent.snapshot(), now).unwrap();
                    agent = restored;
                    onlooker.watch(&actions, now, false);
                    onlooker.cut_short.clear();
                }
                Input::Noise(way, noise) => onlooker.watch(&agent.on_message(&way.topic(), &noise, now), now, false),
                Input::Repeat(_) | Input::Finish { .. } => {}
            }
            prop_assert_eq!(agent.running(), onlooker.running.len());
        }
    }
}
