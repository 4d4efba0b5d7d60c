//! Why a message is not a report.

use crate::ids::{ExecutionId, IdError};
use crate::topic::TopicError;

/// Why a message is not a report. A retry does not help.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The topic is not a response topic.
    #[error("the topic is not a response topic")]
    Topic(#[source] TopicError),
    /// The message is empty.
    #[error("the message is empty")]
    Empty,
    /// The message is larger than AWS IoT allows. Its size in bytes.
    #[error("the message has {0} bytes, more than the 131072 of AWS IoT")]
    TooLarge(usize),
    /// The message begins like a JSON object, but is not valid JSON or has a member of the wrong type.
    #[error("the message is not a report in JSON")]
    Malformed(#[source] serde_json::Error),
    /// The message has no status.
    #[error("the report has no status")]
    NoStatus,
    /// The status is not one that a device can report.
    #[error("{0:?} is not a status that a device can report")]
    UnknownStatus(String),
    /// The report names something that is not an execution id or a command id.
    #[error("the report names no execution")]
    Id(#[source] IdError),
    /// The topic or the place in the shadow names one execution, the payload another.
    #[error("the topic names execution {topic}, the payload {payload}")]
    Contradiction {
        /// The execution that the topic or the place in the shadow names.
        topic: ExecutionId,
        /// The execution that the payload names.
        payload: ExecutionId,
    },
    /// The attempt number is out of range.
    #[error("attempt {0} can't be: attempts count from 1")]
    Attempt(u64),
}
