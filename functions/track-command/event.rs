//! The events of this function, by the constant `kind` that the rules' SQL selects.

use std::borrow::Cow;

use data_encoding::BASE64;
use domain::{ShadowEvent, ShadowRefusal, Timestamp};
use runtime::handler_error::HandlerError;
use serde::{Deserialize, Deserializer, de::Error as _};

#[derive(Debug)]
pub enum Event {
    /// A message on a response topic.
    Report(ResponseMessage),
    /// A shadow that has changed.
    Shadow(ShadowEvent),
    /// An update of a shadow that was refused.
    Refusal(ShadowRefusal),
}

/// A message on a response topic, with what the rule knows of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResponseMessage {
    /// The bytes that the device published.
    #[serde(deserialize_with = "base64")]
    pub payload: Vec<u8>,
    pub topic: String,
    /// Milliseconds since 1970.
    received_at: i64,
    pub trace_id: Option<String>,
}

impl ResponseMessage {
    pub fn received_at(&self) -> Timestamp {
        Timestamp::from_millis(self.received_at)
    }
}

const KINDS: &[&str] = &["report", "shadow", "refusal"];

#[derive(Deserialize)]
struct Tag<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
}

impl Event {
    /// Anything but the event of a rule is a fault of the deployment: it fails, and ends on the failure queue.
    pub fn decode(event: &str) -> Result<Self, HandlerError> {
        let Tag { kind } = serde_json::from_str(event).map_err(HandlerError::Event)?;
        match kind.as_ref() {
            "report" => serde_json::from_str(event).map(Self::Report).map_err(HandlerError::Event),
            "shadow" => ShadowEvent::decode(event).map(Self::Shadow).map_err(HandlerError::Shadow),
            "refusal" => ShadowRefusal::decode(event).map(Self::Refusal).map_err(HandlerError::Shadow),
            unknown => Err(HandlerError::Event(serde_json::Error::unknown_variant(unknown, KINDS))),
        }
    }

    /// The time at which AWS IoT received the message or the change, or refused it.
    pub fn received_at(&self) -> Timestamp {
        match self {
            Self::Report(message) => message.received_at(),
            Self::Shadow(shadow) => shadow.received_at,
            Self::Refusal(refusal) => refusal.received_at,
        }
    }
}

fn base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = <Cow<str>>::deserialize(deserializer)?;
    BASE64.decode(text.as_bytes()).map_err(|error| D::Error::custom(format!("the payload is not base64: {error}")))
}

#[cfg(test)]
mod tests {
    use domain::Report;
    use runtime::handler_error::chain;

    use super::*;
    use crate::fixtures::fixtures;

    #[test]
    fn good_fixtures_are_decoded_and_bad_ones_are_refused() {
        for (name, event) in fixtures("track-command") {
            let event = Event::decode(&event);
            let good = match name.split_once('_') {
                Some(("good", _)) => true,
                Some(("bad", _)) => false,
                _ => panic!("{name} is neither good_ nor bad_"),
            };
            let refused_whole = !good
                && (name.contains("kind")
                    || name.starts_with("bad_shadow")
                    || name.starts_with("bad_refusal")
                    || matches!(
                        name.as_str(),
                        "bad_base64"
                            | "bad_event_of_another_function"
                            | "bad_event_without_topic"
                            | "bad_received_at_as_text"
                    ));
            assert_eq!(event.is_err(), refused_whole, "{name}: {event:?}");
            match event {
                Ok(Event::Report(message)) => {
                    let report = Report::decode(&message.topic, &message.payload);
                    assert_eq!(report.is_ok(), good, "{name}: {report:?}");
                    assert!(!name.contains("shadow"), "{name}");
                }
                Ok(Event::Shadow(_)) => assert!(name.contains("shadow"), "{name}"),
                Ok(Event::Refusal(_)) => assert!(name.contains("refusal"), "{name}"),
                Err(_) => {}
            }
        }
    }

    #[test]
    fn an_event_of_an_unknown_kind_is_refused_with_its_kind() {
        for (event, why) in [
            (
                r#"{"kind":"lifecycle","clientId":"pump-7"}"#,
                "`lifecycle`, expected one of `report`, `shadow`, `refusal`",
            ),
            (r#"{"topic":"cmd/pump-7/resp","payload":"","receivedAt":1}"#, "missing field `kind`"),
            (r#"{"kind":7}"#, "integer `7`"),
            (r#"{"kind":"report","topic":"cmd/pump-7/resp"}"#, "missing field `payload`"),
        ] {
            let error = chain(&Event::decode(event).expect_err(event));
            assert!(error.contains(why), "{event}: {error}");
        }
    }
}
