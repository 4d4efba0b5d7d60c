//! Builds reports: the messages of a device about an execution.

use serde::Serialize;
use serde_json::Value;

use super::id::Id;
use super::outcome::{Outcome, Reason, Status};

/// AWS IoT's limit for the payload of a message, in bytes.
const MAX_REPORT_BYTES: usize = 128 * 1024;

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

/// The report IN_PROGRESS. `seq` is 0 when the execution is accepted, and grows by 1 with each heartbeat.
pub(super) fn in_progress(id: &Id, attempt: u32, seq: u32) -> Vec<u8> {
    to_json(&Body { id, attempt, status: Status::InProgress, seq: Some(seq), status_reason: None, result: None })
}

/// The report of an outcome.
pub(super) fn ended(id: &Id, attempt: u32, outcome: &Outcome) -> Vec<u8> {
    let Outcome { status, reason, result } = outcome;
    let mut body =
        Body { id, attempt, status: *status, seq: None, status_reason: reason.as_ref(), result: result.as_ref() };
    let bytes = to_json(&body);
    if bytes.len() <= MAX_REPORT_BYTES {
        return bytes;
    }
    // The broker would refuse the whole report: the status is more important than the result.
    body.result = None;
    to_json(&body)
}

fn to_json(body: &Body<'_>) -> Vec<u8> {
    // Strings, numbers and JSON values only: serialization cannot fail.
    serde_json::to_vec(body).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn e1() -> Id {
        Id::ExecutionId("e1".to_owned())
    }

    fn parse(bytes: &[u8]) -> Value {
        serde_json::from_slice(bytes).unwrap()
    }

    #[test]
    fn reports_have_the_agreed_fields() {
        assert_eq!(
            parse(&in_progress(&e1(), 1, 3)),
            json!({"executionId": "e1", "attempt": 1, "status": "IN_PROGRESS", "seq": 3})
        );
        assert_eq!(
            parse(&ended(&e1(), 2, &Outcome::failed("pump jammed", "left valve"))),
            json!({"executionId": "e1", "attempt": 2, "status": "FAILED",
                   "statusReason": {"reasonCode": "PUMP_JAMMED", "reasonDescription": "left valve"}})
        );
        assert_eq!(
            parse(&ended(&Id::CommandId("c1".to_owned()), 1, &Outcome::succeeded(None))),
            json!({"commandId": "c1", "attempt": 1, "status": "SUCCEEDED"})
        );
        assert_eq!(
            parse(&ended(&e1(), 1, &Outcome::succeeded(Some(json!({"rpm": 7}))))),
            json!({"executionId": "e1", "attempt": 1, "status": "SUCCEEDED", "result": {"rpm": 7}})
        );
    }

    #[test]
    fn result_that_is_too_large_is_left_out_and_the_status_is_kept() {
        let outcome = Outcome::succeeded(Some(Value::String("x".repeat(MAX_REPORT_BYTES))));
        assert_eq!(
            parse(&ended(&e1(), 1, &outcome)),
            json!({"executionId": "e1", "attempt": 1, "status": "SUCCEEDED"})
        );
    }
}
