//! Decodes a report from a message on a response topic, or from an entry in a shadow.

use crate::execution::key::Key;
use crate::execution::progress::Attempt;
use crate::messages::report::channel::ReportChannel;
use crate::messages::report::content::ReportContent;
use crate::messages::report::device_report::Report;
use crate::messages::report::error::ReportError;
use crate::messages::report::{json, text};
use crate::topic::ResponseTopic;

/// The largest message that AWS IoT takes.
const MAX_MESSAGE_BYTES: usize = 128 * 1024;

impl Report {
    /// Decodes a message on a response topic: JSON if it begins with `{`, else text.
    ///
    /// # Errors
    ///
    /// [`ReportError`] if the topic is not a response topic, or the message is empty, binary, too large, malformed,
    /// without a status, or names another execution than its topic.
    pub fn decode(topic: &str, payload: &[u8]) -> Result<Self, ReportError> {
        let topic = ResponseTopic::parse(topic).map_err(ReportError::Topic)?;
        if payload.len() > MAX_MESSAGE_BYTES {
            return Err(ReportError::TooLarge(payload.len()));
        }
        let payload = std::str::from_utf8(payload).map_err(ReportError::NotText)?.trim();
        let content = match payload.as_bytes() {
            [] => return Err(ReportError::Empty),
            [b'{', ..] => json::decode(&topic.thing, payload, topic.execution.is_some())?,
            _ => text::decode(&topic.thing, payload)?,
        };
        Self::new(topic, content, ReportChannel::Mqtt)
    }

    /// Decodes the JSON entry of a shadow. Its place in the shadow names the execution.
    pub(crate) fn decode_in_shadow(key: Key, entry: &str) -> Result<Self, ReportError> {
        let content = json::decode(&key.thing, entry, false)?;
        let place = ResponseTopic { thing: key.thing, execution: Some(key.id) };
        Self::new(place, content, ReportChannel::Shadow)
    }

    fn new(topic: ResponseTopic, content: ReportContent, channel: ReportChannel) -> Result<Self, ReportError> {
        let execution = match (topic.execution, content.execution) {
            (Some(topic), Some(payload)) if topic != payload => {
                return Err(ReportError::Contradiction { topic, payload });
            }
            (topic, payload) => payload.or(topic),
        };
        let names_attempt = content.attempt.is_some();
        let attempt = match content.attempt {
            None => 1,
            Some(found) => match Attempt::try_from(found) {
                Ok(attempt) if (1..Attempt::MAX).contains(&attempt) => attempt,
                _ => return Err(ReportError::Attempt(found)),
            },
        };
        Ok(Self {
            thing: topic.thing,
            execution,
            channel,
            attempt,
            names_attempt,
            answered_attempt: attempt,
            reported: content.reported,
            code: content.code,
            description: content.description,
            result: content.result,
        })
    }
}
