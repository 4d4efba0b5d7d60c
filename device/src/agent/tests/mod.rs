//! Tests of the agent, by example and with random inputs.

use serde_json::{Value, json};

use super::*;

mod broadcasts;
mod cancels;
mod observer;
mod random_inputs;
mod requests;
mod restarts;
mod shadow;

const NOW_MS: i64 = 1_000_000;

fn new_agent() -> Agent {
    Agent::new(Config { commands: Some(["reboot".to_owned()].into()), ..Config::new("pump-7") })
}

fn request(id: &str, attempt: u32) -> Value {
    json!({"executionId": id, "attempt": attempt, "command": "reboot", "payload": {"delay": 5}, "ttl": 300,
           "expiresAt": NOW_MS / 1000 + 300, "heartbeat": 30, "responseTopic": "cmd/pump-7/resp"})
}

fn cancel(id: &str, attempt: u32) -> Vec<u8> {
    to_bytes(&json!({"executionId": id, "attempt": attempt}))
}

fn with_field(mut request: Value, key: &str, value: Value) -> Vec<u8> {
    request[key] = value;
    to_bytes(&request)
}

fn to_bytes(message: &Value) -> Vec<u8> {
    serde_json::to_vec(message).unwrap()
}

/// The reports among `actions`, and the number of starts.
fn reports_and_starts(actions: &[Action]) -> (Vec<Value>, usize) {
    let report = |action: &Action| match action {
        Action::Report { bytes, .. } => Some(serde_json::from_slice(bytes).unwrap()),
        _ => None,
    };
    let starts = actions.iter().filter(|action| matches!(action, Action::Start { .. })).count();
    (actions.iter().filter_map(report).collect(), starts)
}

/// The status and the reason code of the only report, where nothing starts.
fn only_report(actions: &[Action]) -> (String, String) {
    let (reports, starts) = reports_and_starts(actions);
    assert_eq!((reports.len(), starts), (1, 0), "{actions:?}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&reports[0]["status"]), text(&reports[0]["statusReason"]["reasonCode"]))
}

fn status(status: &str, reason_code: &str) -> (String, String) {
    (status.to_owned(), reason_code.to_owned())
}

fn restart(agent: &Agent, now_ms: i64) -> (Agent, Vec<Action>) {
    Agent::restore(agent.config.clone(), agent.snapshot(), now_ms).unwrap()
}
