//! Decode who it is about, decide what is left of it, publish that. The message itself is borrowed, never a tree.

use std::borrow::Cow;

use aws::Messages;
use domain::{
    NameError, ShadowName, ThingName, Timestamp, Topic,
    trim::{TrimError, TrimOptions, Trimmed, trim},
};
use functions::{
    failure::{Failure, chain},
    telemetry,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::newest::Newest;

/// What the shadow rules add to the message.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Added<'a> {
    #[serde(borrow)]
    thing: Cow<'a, str>,
    #[serde(borrow)]
    shadow: Option<Cow<'a, str>>,
    received_at: i64,
}

/// Whose shadow, and when.
#[derive(Debug)]
struct About {
    thing: ThingName,
    shadow: Option<ShadowName>,
    at: Timestamp,
}

/// Why an event is of no use.
#[derive(Debug, thiserror::Error)]
enum Useless {
    #[error("not an event of a shadow rule")]
    Event(#[source] serde_json::Error),
    #[error("no such thing or shadow")]
    Name(#[source] NameError),
    #[error("not a shadow message")]
    Message(#[source] TrimError),
}

/// Trims messages, one after the other.
pub struct Trimmer {
    messages: Messages,
    options: TrimOptions,
    newest: Newest,
}

impl Trimmer {
    /// A trimmer that has seen nothing yet.
    pub fn new(messages: Messages, options: TrimOptions) -> Self {
        Self { messages, options, newest: Newest::default() }
    }

    /// Handles one message.
    pub async fn handle(&self, event: &RawValue) -> Result<(), Failure> {
        let (about, trimmed) = match decode(event, &self.options) {
            Ok(decoded) => decoded,
            Err((useless, at)) => {
                telemetry::count(at, &[("ShadowUndecodable", 1)], &[("why", &chain(&useless))]);
                return Ok(());
            }
        };
        let About { thing, shadow, at } = about;
        let Trimmed::Message { body, version, original_bytes } = trimmed else { return Ok(()) };
        let topic = Topic::trimmed_shadow(&thing, shadow.as_ref());
        if !self.newest.is_news(thing, shadow, version, at) {
            telemetry::count(at, &[("ShadowOldNews", 1)], &[("topic", topic.as_str())]);
            return Ok(());
        }
        let bytes = [("ShadowBytes", original_bytes as u64), ("ShadowBytesTrimmed", body.len() as u64)];
        self.messages.publish(&topic, body).await.map_err(Failure::Aws)?;
        telemetry::count(at, &bytes, &[("topic", topic.as_str())]);
        Ok(())
    }
}

fn decode(event: &RawValue, options: &TrimOptions) -> Result<(About, Trimmed), (Useless, Timestamp)> {
    let added: Added =
        serde_json::from_str(event.get()).map_err(|error| (Useless::Event(error), Timestamp::default()))?;
    let at = Timestamp::from_millis(added.received_at);
    let name = |error| (Useless::Name(error), at);
    let about = About {
        thing: ThingName::parse(&added.thing).map_err(name)?,
        shadow: added.shadow.map(|shadow| ShadowName::parse(&shadow)).transpose().map_err(name)?,
        at,
    };
    let trimmed = trim(event, options, at.as_seconds()).map_err(|error| (Useless::Message(error), at))?;
    Ok((about, trimmed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::fixtures;

    fn decoded(event: &str) -> Result<(About, Trimmed), String> {
        let event: Box<RawValue> = serde_json::from_str(event).expect("JSON");
        decode(&event, &TrimOptions::default()).map_err(|(useless, _)| chain(&useless))
    }

    #[test]
    fn every_good_event_is_trimmed_and_every_bad_one_says_what_is_wrong() {
        for (name, event) in fixtures("trim-shadow") {
            let decoded = decoded(event.trim());
            let (shadow, message) = match name.as_str() {
                "good_classic" | "good_with_token" => (None, true),
                "good_named" | "good_named_with_token" => (Some("cmd"), true),
                "good_nothing_to_trim" => (None, false),
                bad => {
                    let why = match bad {
                        "bad_no_thing" => "missing field `thing`",
                        "bad_thing" => "a thing name must be",
                        "bad_shadow" => "a shadow name must be",
                        "bad_no_version" => "version",
                        "bad_state" => "state",
                        "bad_not_an_object" => "not an event of a shadow rule",
                        _ => panic!("{name} is expected nowhere"),
                    };
                    let error = decoded.expect_err(bad);
                    assert!(error.contains(why), "{name}: {error}");
                    continue;
                }
            };
            let (about, trimmed) = decoded.expect(&name);
            assert_eq!(about.thing.as_str(), "pump-7", "{name}");
            assert_eq!(about.shadow.as_ref().map(ShadowName::as_str), shadow, "{name}");
            assert_eq!(matches!(trimmed, Trimmed::Message { .. }), message, "{name}: {trimmed:?}");
        }
    }
}
