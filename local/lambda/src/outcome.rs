//! Outcomes of invokes, with the error types and texts of Lambda.

use std::time::Duration;

use bytes::Bytes;
use local_journal::InvokeOutcome;
use serde_json::json;

/// Outcome of an invoke with a response.
pub(super) fn answered(payload: Bytes) -> InvokeOutcome {
    InvokeOutcome { payload, error: None }
}

/// Outcome of an invoke whose function reported an error; the payload is the error.
pub(super) fn reported(payload: Bytes) -> InvokeOutcome {
    InvokeOutcome { payload, error: Some("Unhandled".to_owned()) }
}

pub(super) fn failed(error_type: &str, message: &str) -> InvokeOutcome {
    reported(json!({ "errorType": error_type, "errorMessage": message }).to_string().into())
}

pub(super) fn timed_out(id: &str, after: Duration) -> InvokeOutcome {
    let seconds = after.as_secs_f64();
    failed("Sandbox.Timedout", &format!("RequestId: {id} Error: Task timed out after {seconds:.2} seconds"))
}

pub(super) fn exited(id: &str, how: &str) -> InvokeOutcome {
    failed("Runtime.ExitError", &format!("RequestId: {id} Error: Runtime exited {how}"))
}
