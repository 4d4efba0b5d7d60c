//! The events of this function: records of the stream of commands, and the lifecycle events that two rules select.

use domain::{Presence, PresenceError, RequestTopics, ThingName, Timestamp};
use runtime::handler_error::HandlerError;
use runtime::stream_event::StreamEvent;
use serde::Deserialize;

#[derive(Debug)]
pub enum Event {
    /// Records of the stream of commands.
    Stream(StreamEvent),
    /// A device has connected or subscribed.
    Lifecycle(LifecycleEvent),
    /// A device has connected or disconnected, or says so.
    Presence(Result<Option<Presence>, PresenceError>),
}

/// What the lifecycle rules select of `$aws/events/presence/connected/<client>` and
/// `$aws/events/subscriptions/subscribed/<client>`: AWS IoT Core Developer Guide, "Lifecycle events".
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LifecycleEvent {
    client_id: String,
    event_type: EventType,
    /// Topic filters of a subscription.
    #[serde(default)]
    topics: Vec<String>,
    /// Milliseconds since 1970.
    received_at: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum EventType {
    Connected,
    Subscribed,
}

/// The constant that the rules' SQL selects. Events of a stream have none.
#[derive(Deserialize)]
struct Tag {
    kind: Option<Kind>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Lifecycle,
    Presence,
}

impl Event {
    /// Decodes an event by its `kind`; without one it must be an event of a DynamoDB stream.
    pub fn decode(event: &str) -> Result<Self, HandlerError> {
        let Tag { kind } = serde_json::from_str(event).map_err(HandlerError::Event)?;
        match kind {
            Some(Kind::Lifecycle) => serde_json::from_str(event).map(Self::Lifecycle).map_err(HandlerError::Event),
            Some(Kind::Presence) => Ok(Self::Presence(Presence::decode(event))),
            None => StreamEvent::decode(event).map(Self::Stream),
        }
    }
}

impl LifecycleEvent {
    /// The time at which AWS IoT published the event.
    pub fn received_at(&self) -> Timestamp {
        Timestamp::from_millis(self.received_at)
    }

    /// The thing that may receive requests after this event, on its own topic or on one of `topics`; none if the client
    /// is not a thing, or has subscribed to other topics.
    pub fn thing(&self, topics: &RequestTopics) -> Option<ThingName> {
        let thing = ThingName::parse(&self.client_id).ok()?;
        let may_receive =
            self.subscribed().is_none_or(|filters| filters.iter().any(|filter| topics.may_reach(&thing, filter)));
        may_receive.then_some(thing)
    }

    /// The topic filters that the device has subscribed to; none where it has connected. It may have subscribed in an
    /// earlier session then.
    pub fn subscribed(&self) -> Option<&[String]> {
        (self.event_type == EventType::Subscribed).then_some(&self.topics)
    }
}

#[cfg(test)]
mod tests {
    use runtime::handler_error::chain;

    use super::*;
    use crate::fixtures::fixtures;

    #[test]
    fn good_events_are_decoded_by_their_kind_and_bad_ones_are_refused() {
        for (name, event) in fixtures("dispatch-commands") {
            let decoded = Event::decode(&event);
            match &decoded {
                Ok(Event::Stream(_)) => assert!(name.starts_with("good_batch"), "{name}: {decoded:?}"),
                Ok(Event::Presence(presence)) => assert_eq!(presence.is_ok(), name.starts_with("good_"), "{name}"),
                Ok(Event::Lifecycle(_)) => assert!(name.starts_with("good_"), "{name}: {decoded:?}"),
                Err(error) => assert!(name.starts_with("bad_"), "{name}: {}", chain(error)),
            }
        }
    }

    #[test]
    fn an_event_of_an_unknown_kind_is_refused_with_its_kind() {
        for (event, why) in [
            (r#"{"kind":"report","topic":"cmd/pump-7/resp"}"#, "`report`, expected `lifecycle` or `presence`"),
            (r#"{"clientId":"pump-7","eventType":"connected","receivedAt":1}"#, "missing field `Records`"),
            (
                r#"{"kind":"lifecycle","clientId":"pump-7","eventType":"disconnected","receivedAt":1}"#,
                "`disconnected`, expected `connected` or `subscribed`",
            ),
        ] {
            let error = chain(&Event::decode(event).expect_err(event));
            assert!(error.contains(why), "{event}: {error}");
        }
    }

    #[test]
    fn only_a_thing_that_subscribes_to_its_requests_is_served() {
        let (topics_of_callers, _) = RequestTopics::parse("lights/{thing}/set");
        let thing = |client: &str, event: &str, topics: &str| {
            let event = format!(
                r#"{{"kind":"lifecycle","clientId":"{client}","eventType":"{event}","topics":{topics},"receivedAt":1}}"#
            );
            let Event::Lifecycle(event) = Event::decode(&event).unwrap() else { panic!("{event}") };
            event.thing(&topics_of_callers).map(|thing| thing.to_string())
        };
        assert_eq!(thing("pump-7", "subscribed", r##"["cmd/pump-7/#"]"##).as_deref(), Some("pump-7"));
        assert_eq!(thing("pump-7", "subscribed", r#"["cmd/pump-8/req"]"#), None);
        assert_eq!(thing("pump-7", "subscribed", r#"["lights/pump-7/set"]"#).as_deref(), Some("pump-7"));
        assert_eq!(thing("pump-7", "subscribed", r#"["lights/pump-8/set"]"#), None);
        assert_eq!(thing("pump-7", "connected", "[]").as_deref(), Some("pump-7"));
        assert_eq!(thing("an app", "connected", "[]"), None);
    }
}
