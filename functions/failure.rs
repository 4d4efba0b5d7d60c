//! How a function fails: Lambda tries the event again, and what fails for good ends on the failure queue.

use std::{error::Error, fmt::Write};

use lambda_runtime::Diagnostic;

/// An event that could not be handled, though nothing is wrong with it.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A table or a topic could not be used.
    #[error("the cloud did not do its part")]
    Aws(#[source] aws::Error),
    /// The event is not what the template says that this function receives.
    #[error("not an event of this function")]
    Event(#[source] serde_json::Error),
    /// The event is about a shadow that can't be.
    #[error("not an event of a shadow")]
    Shadow(#[source] domain::ShadowEventError),
    /// The event has no time in it.
    #[error("the event has no time")]
    Time(#[source] jiff::Error),
    /// A part of a stream that does not say of which shard: its mapping has no windows.
    #[error("the event does not say of which shard it is: its event source mapping needs TumblingWindowInSeconds")]
    NoShard,
    /// Some of the work is left: so many of it.
    #[error("{0} parts of the work could not be done")]
    Incomplete(u64),
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        let error_type = match &failure {
            Failure::Aws(error) if error.is_retryable() => "Retryable",
            Failure::Incomplete(_) => "Retryable",
            _ => "NonRetryable",
        };
        Self { error_type: error_type.to_owned(), error_message: chain(&failure) }
    }
}

/// An error with everything that led to it, in one line.
pub fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        // Writing to a String can't fail.
        let _ = write!(line, ": {source}");
        next = source.source();
    }
    line
}
