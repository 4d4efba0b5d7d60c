//! How an execution ended on the device.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// AWS IoT Commands' limit for a reason code, in characters of `[A-Z0-9_-]`.
const MAX_REASON_CODE_CHARS: usize = 64;
/// AWS IoT Commands' limit for a reason description, in characters.
const MAX_REASON_DESCRIPTION_CHARS: usize = 1024;

/// The status of an execution that a device reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// The command was accepted and runs.
    InProgress,
    /// The command ran with success.
    Succeeded,
    /// The command ran without success.
    Failed,
    /// The device refused to start the command.
    Rejected,
    /// The command was not started: the request arrived after its expiry.
    TimedOut,
    /// The command was stopped because it was canceled.
    Canceled,
}

/// The final status of an execution, with its reason or result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Never [`Status::InProgress`].
    pub(super) status: Status,
    pub(super) reason: Option<Reason>,
    pub(super) result: Option<Value>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reason {
    reason_code: String,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    reason_description: String,
}

impl Outcome {
    /// SUCCEEDED. A report that would be larger than 128 KB with its `result` is sent without it.
    pub fn succeeded(result: Option<Value>) -> Self {
        Self { status: Status::Succeeded, reason: None, result }
    }

    /// FAILED. Other characters of `code` than `[A-Z0-9_-]` are replaced, and it is cut after 64; `description` is cut
    /// after 1,024 characters.
    pub fn failed(code: &str, description: impl Into<String>) -> Self {
        Self::with_reason(Status::Failed, code, description.into())
    }

    /// REJECTED. `code` and `description` are treated as by [`failed`](Self::failed).
    pub fn rejected(code: &str, description: impl Into<String>) -> Self {
        Self::with_reason(Status::Rejected, code, description.into())
    }

    /// CANCELED: the command was stopped because of a cancel notice.
    pub(super) fn stopped() -> Self {
        Self { status: Status::Canceled, reason: None, result: None }
    }

    pub(super) fn expired() -> Self {
        Self::with_reason(Status::TimedOut, "EXPIRED", "the request arrived after its expiry".to_owned())
    }

    /// The final status.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The code that explains the status; `None` for SUCCEEDED.
    pub fn reason_code(&self) -> Option<&str> {
        self.reason.as_ref().map(|reason| reason.reason_code.as_str())
    }

    fn with_reason(status: Status, code: &str, description: String) -> Self {
        let to_legal = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c.to_ascii_uppercase() } else { '_' };
        let mut reason_code: String = code.chars().take(MAX_REASON_CODE_CHARS).map(to_legal).collect();
        if reason_code.is_empty() {
            reason_code.push_str("UNKNOWN");
        }
        let reason_description = description.chars().take(MAX_REASON_DESCRIPTION_CHARS).collect();
        Self { status, reason: Some(Reason { reason_code, reason_description }), result: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reason_code_is_always_legal() {
        for code in ["", "é", &"x".repeat(200), "a b/c"] {
            let outcome = Outcome::failed(code, "");
            let code = outcome.reason_code().unwrap();
            assert!((1..=64).contains(&code.len()), "{code}");
            assert!(code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_' || b == b'-'));
        }
    }
}
