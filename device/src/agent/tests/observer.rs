//! Checks the guarantees of an agent on the actions that it returns.

use std::collections::{HashMap, HashSet};

use super::*;

/// What was observed of one attempt.
#[derive(Default)]
struct Attempt {
    started: bool,
    last_seq: Option<u64>,
    outcome: Option<Value>,
}

#[derive(Default)]
pub struct Observer {
    attempts: HashMap<(String, u64), Attempt>,
    /// The executions that run, each with its attempt.
    pub running: Vec<(String, u32)>,
    /// Each requested attempt with its expiry in milliseconds.
    pub expiries: HashSet<(String, u32, i64)>,
    pub canceled: HashSet<String>,
    succeeded: HashSet<String>,
    /// The newest attempt of each execution that was started.
    newest_started: HashMap<String, u32>,
    /// What was running when the device was restarted: it may be started again if its command is `ping`.
    pub interrupted: Vec<(String, u32)>,
}

/// The name of an id's field in a message, by the id's first letter.
pub fn field_of_id(id: &str) -> &'static str {
    if id.starts_with('c') { "commandId" } else { "executionId" }
}

impl Observer {
    /// With `are_heartbeats`, each report must have a greater number than the one before; otherwise it may be equal.
    pub fn check(&mut self, actions: &[Action], now_ms: i64, are_heartbeats: bool) {
        for action in actions {
            match action {
                Action::Start { execution_id, attempt, command, expires_at_ms, .. } => {
                    self.check_start(execution_id, *attempt, command, *expires_at_ms, now_ms);
                }
                Action::Stop { execution_id, attempt } => {
                    let stopped = (execution_id.clone(), *attempt);
                    assert!(self.running.contains(&stopped), "stopped an execution that was not running");
                    self.running.retain(|running| *running != stopped);
                }
                Action::Report { topic, bytes } => {
                    assert_eq!(topic, "cmd/pump-7/resp");
                    self.check_report(&serde_json::from_slice(bytes).unwrap(), are_heartbeats);
                }
                Action::Publish { topic, .. } => assert!(topic.starts_with("$aws/things/pump-7/shadow/name/cmd/")),
            }
        }
    }

    fn check_start(&mut self, id: &str, attempt: u32, command: &str, expires_at_ms: i64, now_ms: i64) {
        let id = id.to_owned();
        assert!(self.expiries.contains(&(id.clone(), attempt, expires_at_ms)), "started without a request");
        assert!(now_ms < expires_at_ms, "started after its expiry");
        assert!(!self.running.iter().any(|(running, _)| *running == id), "two attempts run at once");
        assert!(!self.canceled.contains(&id), "started after a cancel");
        assert!(!self.succeeded.contains(&id), "started after a success");
        let observed = self.attempts.entry((id.clone(), u64::from(attempt))).or_default();
        assert!(observed.outcome.is_none(), "started after its outcome");
        let is_rerun = command == "ping" && self.interrupted.contains(&(id.clone(), attempt));
        assert!(!std::mem::replace(&mut observed.started, true) || is_rerun, "ran twice: {id} {attempt}");
        let newest = self.newest_started.insert(id.clone(), attempt);
        assert!(newest.is_none_or(|newest| newest < attempt || is_rerun), "an older attempt was started");
        self.running.push((id, attempt));
    }

    fn check_report(&mut self, report: &Value, is_heartbeat: bool) {
        let [execution, command] = ["executionId", "commandId"].map(|name| report[name].as_str());
        let id = execution.xor(command).unwrap().to_owned();
        assert_eq!(report[field_of_id(&id)].as_str(), Some(&*id));
        let is_canceled = self.canceled.contains(&id);
        let observed = self.attempts.entry((id.clone(), report["attempt"].as_u64().unwrap())).or_default();
        assert!(!is_canceled || observed.outcome.is_some(), "reported after a cancel");
        if report["status"] == "IN_PROGRESS" {
            let seq = report["seq"].as_u64().unwrap();
            assert!(observed.outcome.is_none(), "reported as running after its outcome");
            assert!(observed.last_seq.is_none_or(|last| if is_heartbeat { last < seq } else { last <= seq }));
            observed.last_seq = Some(seq);
        } else {
            if report["status"] == "SUCCEEDED" {
                self.succeeded.insert(id);
            }
            assert_eq!(observed.outcome.get_or_insert_with(|| report.clone()), report, "an outcome changed");
        }
    }
}
