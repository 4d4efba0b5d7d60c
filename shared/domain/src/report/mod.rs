//! What a device says about an execution, in any of the ways that devices say it.

mod echo;
mod json;
mod reason_code;
mod result;
mod text;

pub use reason_code::ReasonCode;
pub use result::ReportResult;

use serde_json::value::RawValue;

use crate::{Attempt, ExecutionId, IdError, Key, ResponseTopic, ThingName, TopicError};

/// What a device said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Who said it: by the topic, which the IoT policy ties to the certificate, never by the payload.
    pub thing: ThingName,
    /// Which execution it is about, where it says so.
    pub execution: Option<ExecutionId>,
    /// By which way it came.
    pub path: ReportPath,
    /// Which attempt; the first, if it does not say.
    pub attempt: Attempt,
    /// Whether it says which attempt: most devices know nothing of attempts.
    pub says_attempt: bool,
    /// Which attempt it answers by its own word, also where it is taken for a later one's: see [`Execution::takes_up`].
    ///
    /// [`Execution::takes_up`]: crate::Execution::takes_up
    pub answers: Attempt,
    /// What became of it.
    pub reported: Reported,
    /// The device's own reason.
    pub code: Option<ReasonCode>,
    /// The same for people.
    pub description: Option<String>,
    /// What came of it.
    pub result: Option<ReportResult>,
}

/// By which way a report came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReportPath {
    /// A message on a response topic.
    Mqtt,
    /// An entry in a shadow.
    Shadow,
}

/// What became of an execution, by the device's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reported {
    /// It has begun (`seq` 0), or still runs.
    InProgress {
        /// Which heartbeat.
        seq: u64,
    },
    /// It is done.
    Succeeded,
    /// It could not be done.
    Failed,
    /// The device would not.
    Rejected,
    /// The device gave up.
    TimedOut,
}

/// Why a message is not a report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// On a topic that nobody answers on.
    #[error("not an answer's topic")]
    Topic(#[source] TopicError),
    /// Nothing in it.
    #[error("the message is empty")]
    Empty,
    /// More than AWS IoT would carry.
    #[error("the message has {0} bytes, more than the 131072 of AWS IoT")]
    TooLarge(usize),
    /// Binary.
    #[error("the message is neither JSON nor text")]
    NotText(#[source] std::str::Utf8Error),
    /// Not JSON, though it began like it, or with a field of the wrong type.
    #[error("the message is not a report in JSON")]
    Malformed(#[source] serde_json::Error),
    /// It does not say what became of it.
    #[error("the report has no status")]
    NoStatus,
    /// It says something that is no status.
    #[error("{0:?} is not a status that a device can report")]
    UnknownStatus(String),
    /// It names something that is no execution.
    #[error("the report names no execution")]
    Id(#[source] IdError),
    /// It names one execution in its topic, or by its place in the shadow, and another in its payload.
    #[error("the topic names execution {topic}, the payload {payload}")]
    Contradiction {
        /// The topic's, or the place's.
        topic: ExecutionId,
        /// The payload's.
        payload: ExecutionId,
    },
    /// No attempt has this number.
    #[error("attempt {0} can't be: attempts count from 1")]
    Attempt(u64),
}

/// What a payload says by itself.
struct Said {
    execution: Option<ExecutionId>,
    attempt: Option<u64>,
    reported: Reported,
    code: Option<ReasonCode>,
    description: Option<String>,
    result: Option<ReportResult>,
}

impl Said {
    /// What it means that a message was relayed: whoever relays it has done all that was asked.
    fn relayed(message: Option<&RawValue>) -> Self {
        let result = message.map(|raw| ReportResult::new(raw.get()));
        Self { execution: None, attempt: None, reported: Reported::Succeeded, code: None, description: None, result }
    }
}

impl Report {
    const LARGEST: usize = 128 * 1024;
    /// What is kept of a description, in bytes.
    const DESCRIPTION: usize = 512;

    /// What this message on this topic says.
    pub fn decode(topic: &str, payload: &[u8]) -> Result<Self, ReportError> {
        let from = ResponseTopic::parse(topic).map_err(ReportError::Topic)?;
        if payload.len() > Self::LARGEST {
            return Err(ReportError::TooLarge(payload.len()));
        }
        let text = std::str::from_utf8(payload).map_err(ReportError::NotText)?.trim();
        let said = match text.as_bytes() {
            [] => return Err(ReportError::Empty),
            [b'{', ..] => json::decode(&from.thing, text, from.execution.is_some())?,
            _ => text::decode(&from.thing, text)?,
        };
        Self::new(from, said, ReportPath::Mqtt)
    }

    /// What a device says in its shadow, in JSON, about the execution that its place there names.
    pub(crate) fn in_shadow(key: Key, entry: &str) -> Result<Self, ReportError> {
        Self::new(
            ResponseTopic { thing: key.thing.clone(), execution: Some(key.id) },
            json::decode(&key.thing, entry, false)?,
            ReportPath::Shadow,
        )
    }

    /// That a device has done what it was told by relaying this message, the only thing that it ever says.
    pub(crate) fn of_relay(key: Key, message: Option<&RawValue>) -> Self {
        let said = Said::relayed(message);
        Self {
            thing: key.thing,
            execution: Some(key.id),
            path: ReportPath::Shadow,
            attempt: 1,
            says_attempt: false,
            answers: 1,
            reported: said.reported,
            code: said.code,
            description: said.description,
            result: said.result,
        }
    }

    /// That a device has come to the state that it was wanted in.
    pub fn of_state(key: Key, attempt: Attempt) -> Self {
        Self { attempt, says_attempt: true, answers: attempt, ..Self::of_relay(key, None) }
    }

    fn new(from: ResponseTopic, said: Said, path: ReportPath) -> Result<Self, ReportError> {
        let execution = match (from.execution, said.execution) {
            (Some(topic), Some(payload)) if topic != payload => {
                return Err(ReportError::Contradiction { topic, payload });
            }
            (topic, payload) => payload.or(topic),
        };
        let says_attempt = said.attempt.is_some();
        let attempt = match said.attempt {
            None => 1,
            Some(found) => match Attempt::try_from(found) {
                Ok(attempt) if (1..Attempt::MAX).contains(&attempt) => attempt,
                _ => return Err(ReportError::Attempt(found)),
            },
        };
        Ok(Self {
            thing: from.thing,
            execution,
            path,
            attempt,
            says_attempt,
            answers: attempt,
            reported: said.reported,
            code: said.code,
            description: said.description,
            result: said.result,
        })
    }
}

/// The status that a word says, in AWS IoT Commands' words and in those of the devices that were there before.
fn reported(word: &str, seq: u64) -> Option<Reported> {
    match word.to_ascii_uppercase().as_str() {
        "SUCCEEDED" | "SUCCESS" => Some(Reported::Succeeded),
        "FAILED" | "FAILURE" => Some(Reported::Failed),
        "IN_PROGRESS" | "RUNNING" => Some(Reported::InProgress { seq }),
        "REJECTED" => Some(Reported::Rejected),
        "TIMED_OUT" => Some(Reported::TimedOut),
        _ => None,
    }
}

/// The beginning of a text, of at most so many bytes, with nothing in it that would disturb a terminal or a log.
fn shown(text: &str, most: usize) -> Option<String> {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let clean = clean.trim();
    let cut = &clean[..clean.floor_char_boundary(most)];
    (!cut.is_empty()).then(|| cut.to_owned())
}

#[cfg(test)]
mod tests;
