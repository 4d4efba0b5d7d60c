//! Decode who it is about, decide what is left of it, publish that. The message itself is borrowed, never a tree.

use std::borrow::Cow;

use crate::{
    failure::{Failure, chain},
    telemetry,
};
use aws::Messages;
use domain::{
    NameError, ShadowName, ThingName, Timestamp, Topic,
    trim::{TrimError, TrimOptions, Trimmed, trim},
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::newest::Newest;

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

/// Whose shadow.
#[derive(Debug)]
struct About {
    thing: ThingName,
    shadow: Option<ShadowName>,
}

/// Why a message is of no use.
#[derive(Debug, thiserror::Error)]
enum Useless {
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
        // Without these it is no event of a shadow rule: a mistake in the wiring, which whoever deployed it has to see.
        let added: Added = serde_json::from_str(event.get()).map_err(Failure::Event)?;
        let at = Timestamp::from_millis(added.received_at);
        let (about, trimmed) = match decode(event, &added, at, &self.options) {
            Ok(decoded) => decoded,
            Err(useless) => {
                telemetry::count(at, &[("ShadowUndecodable", 1)], &[("why", &chain(&useless))]);
                return Ok(());
            }
        };
        let About { thing, shadow } = about;
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

fn decode(event: &RawValue, added: &Added, at: Timestamp, options: &TrimOptions) -> Result<(About, Trimmed), Useless> {
    let about = About {
        thing: ThingName::parse(&added.thing).map_err(Useless::Name)?,
        shadow: added.shadow.as_deref().map(ShadowName::parse).transpose().map_err(Useless::Name)?,
    };
    let trimmed = trim(event, options, at.as_seconds()).map_err(Useless::Message)?;
    Ok((about, trimmed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::fixtures;

    fn decoded(event: &str) -> Result<(About, Trimmed), String> {
        let event: Box<RawValue> = serde_json::from_str(event).expect("JSON");
        let added: Added = serde_json::from_str(event.get()).map_err(|error| format!("failure: {error}"))?;
        decode(&event, &added, Timestamp::from_millis(added.received_at), &TrimOptions::default())
            .map_err(|useless| format!("counted: {}", chain(&useless)))
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
                    let (what, why) = match bad {
                        "bad_no_thing" => ("failure", "missing field `thing`"),
                        "bad_not_an_object" => ("failure", "invalid"),
                        "bad_thing" => ("counted", "a thing name must be"),
                        "bad_shadow" => ("counted", "a shadow name must be"),
                        "bad_no_version" => ("counted", "version"),
                        "bad_state" => ("counted", "state"),
                        _ => panic!("{name} is expected nowhere"),
                    };
                    let error = decoded.expect_err(bad);
                    assert!(error.starts_with(what) && error.contains(why), "{name}: {error}");
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
