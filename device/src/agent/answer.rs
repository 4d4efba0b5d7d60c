//! What a device says about an execution.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::id::Id;

/// The largest answer that the message broker takes.
const LIMIT: usize = 128 * 1024;

/// How an execution stands, in the device's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Accepted, and running.
    InProgress,
    /// Done.
    Succeeded,
    /// Tried, and not done.
    Failed,
    /// Refused: not tried.
    Rejected,
    /// Not tried because its time had passed.
    TimedOut,
}

/// How an execution ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Never [`Status::InProgress`].
    pub(crate) status: Status,
    pub(crate) reason: Option<Reason>,
    pub(crate) result: Option<Value>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reason {
    reason_code: String,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    reason_description: String,
}

impl Outcome {
    /// It worked; `result` is whatever is worth knowing.
    pub fn succeeded(result: Option<Value>) -> Self {
        Self { status: Status::Succeeded, reason: None, result }
    }

    /// It was tried and did not work. `code` is forced into `[A-Z0-9_-]{1,64}`.
    pub fn failed(code: &str, description: impl Into<String>) -> Self {
        Self::because(Status::Failed, code, description.into())
    }

    /// It was refused. `code` is forced into `[A-Z0-9_-]{1,64}`.
    pub fn rejected(code: &str, description: impl Into<String>) -> Self {
        Self::because(Status::Rejected, code, description.into())
    }

    pub(crate) fn expired() -> Self {
        Self::because(Status::TimedOut, "EXPIRED", "arrived after its time had passed".to_owned())
    }

    /// How it ended.
    pub fn status(&self) -> Status {
        self.status
    }

    /// Why, as a code.
    pub fn reason_code(&self) -> Option<&str> {
        self.reason.as_ref().map(|reason| reason.reason_code.as_str())
    }

    fn because(status: Status, code: &str, description: String) -> Self {
        let legal = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c.to_ascii_uppercase() } else { '_' };
        let mut reason_code: String = code.chars().take(64).map(legal).collect();
        if reason_code.is_empty() {
            reason_code.push_str("UNKNOWN");
        }
        let reason_description = description.chars().take(1024).collect();
        Self { status, reason: Some(Reason { reason_code, reason_description }), result: None }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(flatten)]
    id: &'a Id,
    attempt: u32,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_reason: Option<&'a Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a Value>,
}

/// `seq` 0 is "accepted", then it counts the heartbeats.
pub(crate) fn running(id: &Id, attempt: u32, seq: u32) -> Vec<u8> {
    write(&Body { id, attempt, status: Status::InProgress, seq: Some(seq), status_reason: None, result: None })
}

pub(crate) fn ended(id: &Id, attempt: u32, outcome: &Outcome) -> Vec<u8> {
    let Outcome { status, reason, result } = outcome;
    let mut body =
        Body { id, attempt, status: *status, seq: None, status_reason: reason.as_ref(), result: result.as_ref() };
    let bytes = write(&body);
    if bytes.len() <= LIMIT {
        return bytes;
    }
    // How it ended matters more than what it returned.
    body.result = None;
    write(&body)
}

fn write(body: &Body<'_>) -> Vec<u8> {
    // Strings, numbers and JSON values: there is nothing in it that could fail.
    serde_json::to_vec(body).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn e1() -> Id {
        Id::ExecutionId("e1".to_owned())
    }

    fn parsed(bytes: &[u8]) -> Value {
        serde_json::from_slice(bytes).unwrap()
    }

    #[test]
    fn answers_have_the_agreed_fields() {
        assert_eq!(
            parsed(&running(&e1(), 1, 3)),
            json!({"executionId": "e1", "attempt": 1, "status": "IN_PROGRESS", "seq": 3})
        );
        assert_eq!(
            parsed(&ended(&e1(), 2, &Outcome::failed("pump jammed", "left valve"))),
            json!({"executionId": "e1", "attempt": 2, "status": "FAILED",
                   "statusReason": {"reasonCode": "PUMP_JAMMED", "reasonDescription": "left valve"}})
        );
        assert_eq!(
            parsed(&ended(&Id::CommandId("c1".to_owned()), 1, &Outcome::succeeded(None))),
            json!({"commandId": "c1", "attempt": 1, "status": "SUCCEEDED"})
        );
        assert_eq!(
            parsed(&ended(&e1(), 1, &Outcome::succeeded(Some(json!({"rpm": 7}))))),
            json!({"executionId": "e1", "attempt": 1, "status": "SUCCEEDED", "result": {"rpm": 7}})
        );
    }

    #[test]
    fn a_result_that_is_too_large_is_left_out_and_the_verdict_is_kept() {
        let outcome = Outcome::succeeded(Some(Value::String("x".repeat(LIMIT))));
        assert_eq!(
            parsed(&ended(&e1(), 1, &outcome)),
            json!({"executionId": "e1", "attempt": 1, "status": "SUCCEEDED"})
        );
    }

    #[test]
    fn a_reason_code_is_always_legal() {
        for code in ["", "é", &"x".repeat(200), "a b/c"] {
            let outcome = Outcome::failed(code, "");
            let code = outcome.reason_code().unwrap();
            assert!((1..=64).contains(&code.len()), "{code}");
            assert!(code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_' || b == b'-'));
        }
    }
}
