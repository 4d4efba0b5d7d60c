//! Decodes a report from a message on a response topic, or from an entry in a shadow.

use std::borrow::Cow;

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

/// A message as text: UTF-16 if it begins with its byte order mark, else UTF-8.
pub(super) fn to_text(payload: &[u8]) -> Cow<'_, str> {
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        Cow::Owned(String::from_utf16_lossy(&units))
    };
    match payload {
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] | rest => String::from_utf8_lossy(rest),
    }
}

impl Report {
    /// Decodes a message on a response topic: JSON if it begins with `{`, else text.
    ///
    /// What does not touch the meaning is forgiven: a byte order mark, NULs and white space around the message, and
    /// bytes that are not UTF-8, which become U+FFFD.
    ///
    /// # Errors
    ///
    /// [`ReportError`] if the topic is not a response topic, or the message is empty, too large, malformed, without a
    /// status, or names another execution than its topic.
    pub fn decode(topic: &str, payload: &[u8]) -> Result<Self, ReportError> {
        let topic = ResponseTopic::parse(topic).map_err(ReportError::Topic)?;
        if payload.len() > MAX_MESSAGE_BYTES {
            return Err(ReportError::TooLarge(payload.len()));
        }
        let payload = to_text(payload);
        let payload = payload.trim_matches(|c: char| c.is_whitespace() || c == '\0');
        let content = match payload.as_bytes() {
            [] => return Err(ReportError::Empty),
            [b'{', ..] => json::decode(&topic.thing, payload, true)?,
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
            is_relayed: content.is_relayed,
            echo: content.echo,
        })
    }
}
