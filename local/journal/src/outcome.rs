//! How an invoke of a function ended.

use bytes::Bytes;

/// How an invoke of a function ended.
#[derive(Clone, Debug)]
pub struct InvokeOutcome {
    /// The function's answer.
    pub payload: Bytes,
    /// `Unhandled` if the function failed; the payload is `{"errorType","errorMessage"}` then.
    pub error: Option<String>,
}
