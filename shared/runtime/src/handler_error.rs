//! How the handling of an event fails. Lambda retries the event, and sends it to the failure queue after the last
//! retry.

pub use calls::chain;
use lambda_runtime::Diagnostic;

/// An event that could not be handled.
#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    /// An operation on a table, a topic, a shadow or a queue failed.
    #[error("an operation on AWS failed")]
    Aws(#[source] aws::Error),
    /// The event is not of a kind that template.yaml wires to this function.
    #[error("not an event of this function: check its event sources in template.yaml")]
    Event(#[source] serde_json::Error),
    /// The shadow rule selected something that is not a shadow update.
    #[error("not an event of a shadow: check the SQL of the shadow rules in template.yaml")]
    Shadow(#[source] domain::ShadowEventError),
    /// The message is of a kind that no function sends.
    #[error("not a message of the queue of ticks")]
    Wake(#[source] domain::WakeError),
    /// The time in the event is not in RFC 3339.
    #[error("the event has no valid time")]
    Time(#[source] jiff::Error),
    /// Records of a stream without the name of their shard.
    #[error("the event does not name its shard: its event source mapping needs TumblingWindowInSeconds")]
    NoShard,
    /// Some parts of the work failed; the number of them. The log has the error of each, and all of them are retried.
    #[error("{0} parts of the work could not be done: see the warnings in the log")]
    Incomplete(u64),
}

impl From<HandlerError> for Diagnostic {
    fn from(error: HandlerError) -> Self {
        let error_type = match &error {
            HandlerError::Aws(error) if error.is_retryable() => "Retryable",
            HandlerError::Incomplete(_) => "Retryable",
            _ => "NonRetryable",
        };
        Self { error_type: error_type.to_owned(), error_message: chain(&error) }
    }
}
