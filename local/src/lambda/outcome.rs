//! How an invoke ended, in Lambda's own words.

use std::time::Duration;

use bytes::Bytes;
use serde_json::json;

/// How an invoke ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The function's answer.
    pub payload: Bytes,
    /// `Unhandled` where the function failed; the payload then is `{"errorType","errorMessage"}`.
    pub error: Option<String>,
}

impl Outcome {
    pub(super) fn answered(payload: Bytes) -> Self {
        Self { payload, error: None }
    }

    /// The function said itself what went wrong.
    pub(super) fn reported(payload: Bytes) -> Self {
        Self { payload, error: Some("Unhandled".to_owned()) }
    }

    pub(super) fn failed(error_type: &str, message: &str) -> Self {
        Self::reported(json!({ "errorType": error_type, "errorMessage": message }).to_string().into())
    }

    pub(super) fn timed_out(id: &str, after: Duration) -> Self {
        let seconds = after.as_secs_f64();
        Self::failed("Sandbox.Timedout", &format!("RequestId: {id} Error: Task timed out after {seconds:.2} seconds"))
    }

    pub(super) fn exited(id: &str, how: &str) -> Self {
        Self::failed("Runtime.ExitError", &format!("RequestId: {id} Error: Runtime exited {how}"))
    }
}
