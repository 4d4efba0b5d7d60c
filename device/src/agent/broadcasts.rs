//! Broadcasts: what an agent promises about a request to many things, by example.

use serde_json::{Value, json};

use super::tests::{NOW, agent, bytes, split, told};
use super::*;

const TOPIC: &str = "cmd/group/pumps/req";

fn listening() -> Agent {
    let mut agent = agent();
    agent.config.groups = vec!["pumps".to_owned(), "north".to_owned()];
    agent.config.broadcast_topics = vec!["device_status/request".to_owned()];
    agent.config.answer_topics = vec!["device_status/response".to_owned(), "device_status/request".to_owned()];
    agent
}

fn broadcast(id: &str, attempt: u32, spread: u32) -> Value {
    json!({"commandId": id, "attempt": attempt, "command": "reboot", "ttl": 300, "expiresAt": NOW / 1000 + 300,
           "heartbeat": 30, "spread": spread})
}

fn status(actions: &[Action]) -> String {
    told(actions).0
}

/// Where the only answer goes.
fn answered_on(actions: &[Action]) -> &str {
    let mut topics = actions.iter().filter_map(|action| match action {
        Action::Respond { topic, .. } => Some(topic.as_str()),
        _ => None,
    });
    topics.next().unwrap()
}

#[test]
fn a_broadcast_is_run_once_and_answered_by_the_commands_id() {
    let mut agent = listening();
    let topics = ["cmd/group/pumps/req", "cmd/group/north/req", "device_status/request"];
    assert_eq!(agent.topics()[2..], topics);
    let message = bytes(&broadcast("c1", 1, 0));
    let (answers, starts) = split(&agent.on_message(TOPIC, &message, NOW));
    assert_eq!(answers, [json!({"commandId": "c1", "attempt": 1, "status": "IN_PROGRESS", "seq": 0})]);
    assert_eq!(starts, 1);
    assert_eq!(agent.next_beat_ms(), Some(NOW + 30_000));
    assert_eq!(split(&agent.on_tick(NOW + 30_000)).0[0]["commandId"], "c1", "a heartbeat");
    for topic in topics {
        let (answers, starts) = split(&agent.on_message(topic, &message, NOW + 30_000));
        assert_eq!((answers[0]["seq"].as_u64(), starts), (Some(1), 0), "the same on {topic}");
    }
    let ended = agent.on_finished("c1", 1, Outcome::succeeded(None));
    assert_eq!(split(&ended).0, [json!({"commandId": "c1", "attempt": 1, "status": "SUCCEEDED"})]);
    let (_, kept) = Agent::restore(agent.config.clone(), agent.snapshot(), NOW).unwrap();
    assert_eq!(kept, ended, "it is remembered as what it was");
    assert_eq!(agent.on_message("cmd/group/south/req", &message, NOW), []);
    assert_eq!(agent.ignored()["foreign topic"], 1);
}

#[test]
fn a_broadcast_that_cannot_be_run_is_refused_like_any_request() {
    let mut agent = listening();
    let mut refused = |key: &str, value: Value| {
        let mut request = broadcast(&format!("not-{key}"), 1, 0);
        request[key] = value;
        let actions = agent.on_message(TOPIC, &bytes(&request), NOW);
        assert_eq!(split(&actions).0[0]["commandId"], format!("not-{key}"));
        told(&actions).1
    };
    assert_eq!(refused("command", json!("dance")), "UNKNOWN_COMMAND");
    assert_eq!(refused("expiresAt", json!(NOW / 1000)), "EXPIRED");
    assert_eq!(refused("attempt", json!(0)), "MALFORMED_REQUEST");
    assert_eq!(agent.on_message(TOPIC, b"{}", NOW), []);
}

#[test]
fn a_next_attempt_of_a_broadcast_runs_only_after_a_failure() {
    let mut agent = listening();
    agent.on_message(TOPIC, &bytes(&broadcast("c1", 1, 0)), NOW);
    assert_eq!(status(&agent.on_message(TOPIC, &bytes(&broadcast("c1", 2, 0)), NOW)), "IN_PROGRESS");
    agent.on_finished("c1", 1, Outcome::failed("JAMMED", ""));
    assert_eq!(split(&agent.on_message(TOPIC, &bytes(&broadcast("c1", 2, 0)), NOW)).1, 1);
}

#[test]
fn until_its_moment_a_broadcast_is_neither_begun_nor_answered() {
    let mut agent = listening();
    let message = bytes(&broadcast("c1", 1, 60));
    assert_eq!(agent.on_message(TOPIC, &message, NOW), []);
    let at = agent.next_held_ms().unwrap();
    assert!((NOW..NOW + 60_000).contains(&at), "{at}");
    assert_eq!(agent.on_message(TOPIC, &message, at - 1), [], "a repeated one changes nothing");
    assert_eq!(agent.on_tick(at - 1), []);
    let (mut agent, actions) = Agent::restore(agent.config.clone(), agent.snapshot(), at - 1).unwrap();
    assert_eq!((actions, agent.next_held_ms()), (vec![], Some(at)), "a restart forgets nothing");
    let (answers, starts) = split(&agent.on_tick(at));
    assert_eq!((answers.len(), starts, agent.next_held_ms()), (1, 1, None));

    assert_eq!(agent.on_message(TOPIC, &message, at + 1), [], "what is said again is spread as well");
    assert_eq!(status(&agent.on_held(at + 60_000)), "IN_PROGRESS");
    assert_eq!(agent.running(), 1);
}

#[test]
fn a_refusal_is_spread_too_and_so_is_what_is_malformed() {
    let mut agent = listening();
    for (n, command) in [json!("dance"), json!(7)].into_iter().enumerate() {
        let mut request = broadcast(&format!("c{n}"), 1, 60);
        request["command"] = command;
        assert_eq!(agent.on_message(TOPIC, &bytes(&request), NOW), []);
    }
    let (answers, starts) = split(&agent.on_held(NOW + 60_000));
    let reasons: Vec<_> = answers.iter().map(|a| a["statusReason"]["reasonCode"].as_str().unwrap()).collect();
    assert_eq!((&reasons[..], starts), (&["UNKNOWN_COMMAND", "MALFORMED_REQUEST"][..], 0));
}

#[test]
fn what_waits_is_canceled_by_either_name_and_never_runs() {
    let mut agent = listening();
    agent.on_message(TOPIC, &bytes(&broadcast("c1", 1, 60)), NOW);
    let cancel = bytes(&json!({"executionId": "e1", "commandId": "c1", "attempt": 1}));
    assert_eq!(agent.on_message("cmd/pump-7/cancel", &cancel, NOW), []);
    assert_eq!(agent.on_held(NOW + 60_000), []);
    agent.on_message(TOPIC, &bytes(&broadcast("c2", 1, 0)), NOW);
    let stop = Action::Stop { execution_id: "c2".into(), attempt: 1 };
    assert_eq!(agent.on_cancel(&bytes(&json!({"commandId": "c2"})), NOW), [stop]);
    assert_eq!(agent.ignored().len(), 0);
}

#[test]
fn more_than_can_wait_is_handled_at_once() {
    let mut agent = listening();
    agent.config.remember = 2;
    for (id, started) in [("c1", 0), ("c2", 0), ("c3", 1)] {
        assert_eq!(split(&agent.on_message(TOPIC, &bytes(&broadcast(id, 1, 60)), NOW)).1, started);
    }
}

#[test]
fn an_answer_goes_where_both_sides_agree() {
    let mut agent = listening();
    for (n, asked, used) in [
        (1, "device_status/response", "device_status/response"),
        (2, "cmd/pump-7/response", "cmd/pump-7/response"),
        (3, "billing/response", "cmd/pump-7/resp"),
        (4, "device_status/request", "cmd/pump-7/resp"),
    ] {
        let mut request = broadcast(&format!("c{n}"), 1, 0);
        request["responseTopic"] = asked.into();
        assert_eq!(answered_on(&agent.on_message("device_status/request", &bytes(&request), NOW)), used);
    }
    let ended = agent.on_finished("c1", 1, Outcome::succeeded(None));
    assert_eq!(answered_on(&ended), "device_status/response", "every report of it");
}

#[test]
fn a_memory_from_before_there_were_broadcasts_is_still_one() {
    let mut before = agent();
    before.on_request(br#"{"executionId":"e1","command":"reboot","expiresAt":2000}"#, NOW);
    let entries = before.snapshot()["entries"].clone();
    assert_eq!(entries[0]["executionId"], "e1");
    let (_, actions) = Agent::restore(before.config.clone(), entries, NOW).unwrap();
    assert_eq!(told(&actions).1, "DEVICE_RESTARTED");
}
