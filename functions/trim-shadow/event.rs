//! The event of this function: a shadow message, with the members that the shadow rules add. There is only one kind;
//! the environment says which message of a shadow update the rules select, and a member which messages are answers.

use std::borrow::Cow;

use domain::trim::{TrimError, TrimOptions, TrimOutcome, trim_answer, trim_message};
use domain::{NameError, ShadowName, ThingName, Timestamp};
use runtime::handler_error::HandlerError;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The members that the rules add to a message.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Added<'a> {
    #[serde(borrow)]
    thing: Cow<'a, str>,
    #[serde(borrow)]
    shadow: Option<Cow<'a, str>>,
    received_at: i64,
    operation: Option<Operation>,
}

/// What a message is about: without one, it tells of a change of the shadow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Operation {
    /// The device has asked for its shadow.
    Get,
}

/// A message whose shadow is known and that has been trimmed.
#[derive(Debug)]
pub struct TrimmedMessage {
    pub thing: ThingName,
    pub shadow: Option<ShadowName>,
    pub operation: Option<Operation>,
    pub outcome: TrimOutcome,
}

/// Why the message of a valid event can't be trimmed. A retry does not help.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    #[error("no such thing or shadow")]
    Name(#[source] NameError),
    #[error("not a shadow message")]
    Message(#[source] TrimError),
}

impl<'a> Added<'a> {
    /// Anything but the event of a shadow rule is a fault of the deployment: it fails, and ends on the failure queue.
    pub fn decode(event: &'a RawValue) -> Result<Self, HandlerError> {
        serde_json::from_str(event.get()).map_err(HandlerError::Event)
    }

    pub fn received_at(&self) -> Timestamp {
        Timestamp::from_millis(self.received_at)
    }

    /// Trims the event that these members were added to, as it is for a device at `now`.
    pub fn trim(
        &self,
        event: &RawValue,
        options: &TrimOptions,
        now: Timestamp,
    ) -> Result<TrimmedMessage, MessageError> {
        let trim = match self.operation {
            None => trim_message,
            Some(Operation::Get) => trim_answer,
        };
        Ok(TrimmedMessage {
            thing: ThingName::parse(&self.thing).map_err(MessageError::Name)?,
            shadow: self.shadow.as_deref().map(ShadowName::parse).transpose().map_err(MessageError::Name)?,
            operation: self.operation,
            outcome: trim(event, options, now.as_seconds()).map_err(MessageError::Message)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use runtime::handler_error::chain;

    use super::*;
    use crate::fixtures::fixtures;

    fn trimmed(event: &str) -> Result<TrimmedMessage, String> {
        let event: Box<RawValue> = serde_json::from_str(event).expect("JSON");
        let added = Added::decode(&event).map_err(|error| format!("failure: {}", chain(&error)))?;
        added
            .trim(&event, &TrimOptions::default(), added.received_at())
            .map_err(|error| format!("counted: {}", chain(&error)))
    }

    #[test]
    fn good_fixtures_are_trimmed_and_bad_ones_say_why() {
        for (name, event) in fixtures("trim-shadow") {
            let trimmed = trimmed(event.trim());
            let (shadow, is_smaller) = match name.as_str() {
                "good_classic" | "good_with_token" | "good_answer" => (None, true),
                "good_named" | "good_named_with_token" | "good_named_answer" => (Some("cmd"), true),
                "good_nothing_to_trim" => (None, false),
                bad => {
                    let (what, why) = match bad {
                        "bad_no_thing" => ("failure", "missing field `thing`"),
                        "bad_operation" => ("failure", "unknown variant `delete`"),
                        "bad_not_an_object" => ("failure", "invalid"),
                        "bad_thing" => ("counted", "a thing name must be"),
                        "bad_shadow" => ("counted", "a shadow name must be"),
                        "bad_no_version" => ("counted", "version"),
                        "bad_state" => ("counted", "state"),
                        _ => panic!("{name} has no expectation"),
                    };
                    let error = trimmed.expect_err(bad);
                    assert!(error.starts_with(what) && error.contains(why), "{name}: {error}");
                    continue;
                }
            };
            let trimmed = trimmed.expect(&name);
            assert_eq!(trimmed.thing.as_str(), "pump-7", "{name}");
            assert_eq!(trimmed.shadow.as_ref().map(ShadowName::as_str), shadow, "{name}");
            assert_eq!(matches!(trimmed.outcome, TrimOutcome::Trimmed { .. }), is_smaller, "{name}: {trimmed:?}");
        }
    }
}
