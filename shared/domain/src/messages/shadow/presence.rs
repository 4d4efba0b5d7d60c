//! Whether a device is connected, as other applications read it in a shadow: `reported.connected`, beside the time of that
//! and the number of the connection. AWS's IoT Atlas calls it "device connected".

use std::borrow::Cow;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use crate::messages::shadow::atlas;
use crate::messages::shadow::document::Document;
use crate::messages::shadow::error::ShadowError;
use crate::messages::shadow::update::ShadowUpdate;
use crate::names::{ShadowName, ThingName};
use crate::timestamp::Timestamp;

/// A device has connected or disconnected: a lifecycle event of AWS IoT, or what the device or its last will says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// The thing; its name is the MQTT client id.
    pub thing: ThingName,
    /// Whether it is connected.
    pub connected: bool,
    /// When it has connected or disconnected.
    pub at: Timestamp,
    /// The number of the connection: `versionNumber` of a lifecycle event. A connection and its end have the same.
    pub number: Option<u64>,
}

/// Why an event says nothing of a thing's presence.
#[derive(Debug, thiserror::Error)]
pub enum PresenceError {
    /// The event does not have the members that the rules select.
    #[error("not the event of a rule of presence")]
    Event(#[source] serde_json::Error),
    /// It is neither `connected` nor `disconnected`, and no message of a device.
    #[error("the event does not say whether the device is connected")]
    Neither,
    /// The payload of the device's message is not base64.
    #[error("the payload is not base64")]
    Payload(#[source] data_encoding::DecodeError),
    /// The device's message is not `{"connected": true}` or the like.
    #[error("the message does not say whether the device is connected")]
    Message(#[source] serde_json::Error),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    #[serde(borrow)]
    thing: Cow<'a, str>,
    /// Of a lifecycle event.
    #[serde(borrow)]
    event_type: Option<Cow<'a, str>>,
    version_number: Option<u64>,
    /// Of a message of the device: its bytes in base64.
    #[serde(borrow)]
    payload: Option<Cow<'a, str>>,
    at: i64,
}

/// A message of the device.
#[derive(Deserialize)]
struct Message {
    connected: bool,
}

/// What the shadow says already.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reported {
    connected: Option<bool>,
    connected_at: Option<i64>,
    connection_number: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewReported {
    connected: bool,
    connected_at: i64,
    connection_number: Option<u64>,
}

#[derive(Serialize)]
struct Body {
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
}

#[derive(Serialize)]
struct State {
    reported: NewReported,
}

/// Within this time the number of a connection says more than its time, in milliseconds: the end of a connection that a new
/// one has replaced comes after the new one has begun. AWS IoT starts to count again after about an hour without one.
const NUMBERS_COUNT_MILLIS: i64 = 120_000;

impl Presence {
    /// Decodes `{"thing", "eventType", "versionNumber", "at"}`, or `{"thing", "payload", "at"}` with the message of a device,
    /// `{"connected": false}`, in base64. None if the client is no thing. `at`: milliseconds since 1970. Source of the
    /// first form: AWS IoT Core Developer Guide, "Lifecycle events".
    ///
    /// # Errors
    ///
    /// [`PresenceError`] if a member is missing or of the wrong type, or the message says nothing.
    pub fn decode(event: &str) -> Result<Option<Self>, PresenceError> {
        let event: Event = serde_json::from_str(event).map_err(PresenceError::Event)?;
        let connected = match (event.event_type.as_deref(), event.payload) {
            (Some("connected"), _) => true,
            (Some("disconnected"), _) => false,
            (None, Some(payload)) => {
                let message = BASE64.decode(payload.as_bytes()).map_err(PresenceError::Payload)?;
                serde_json::from_slice::<Message>(&message).map_err(PresenceError::Message)?.connected
            }
            _ => return Err(PresenceError::Neither),
        };
        let at = Timestamp::from_millis(event.at);
        let thing = ThingName::parse(&event.thing).ok();
        Ok(thing.map(|thing| Self { thing, connected, at, number: event.version_number }))
    }

    /// The update of a shadow that says so. None if it says something newer, or does not exist and is not to be created; nor
    /// if the classic shadow holds a command: with each update its device gets the delta again, and runs the command again.
    /// `document`: the shadow as it is, whose version the update names.
    ///
    /// # Errors
    ///
    /// [`ShadowError`] if the document can't be read.
    pub fn update(
        &self,
        shadow: Option<&ShadowName>,
        document: Option<&[u8]>,
        creates: bool,
    ) -> Result<Option<ShadowUpdate>, ShadowError> {
        let document = document.map(Document::parse).transpose()?;
        let desired = document.as_ref().and_then(|document| document.sections().desired);
        if shadow.is_none() && desired.is_some_and(|desired| !atlas::entries(desired).is_empty()) {
            return Ok(None);
        }
        let known = match &document {
            None if !creates => return Ok(None),
            None => Reported::default(),
            Some(document) => {
                let reported = document.sections().reported.map(|reported| reported.get());
                // What another application has written there is replaced.
                reported.and_then(|reported| serde_json::from_str(reported).ok()).unwrap_or_default()
            }
        };
        if !self.is_newer_than(&known) {
            return Ok(None);
        }
        let reported = NewReported {
            connected: self.connected,
            connected_at: self.at.as_millis(),
            connection_number: self.number,
        };
        let body = Body { state: State { reported }, version: document.map(|document| document.version) };
        let body = serde_json::to_vec(&body).map_err(ShadowError::Update)?;
        Ok(Some(ShadowUpdate { thing: self.thing.clone(), shadow: shadow.cloned(), body }))
    }

    /// Events overtake each other, and come twice.
    fn is_newer_than(&self, known: &Reported) -> bool {
        let (Some(known_connected), Some(known_at)) = (known.connected, known.connected_at) else { return true };
        let at = self.at.as_millis();
        match (self.number, known.connection_number) {
            (Some(number), Some(known)) if at.abs_diff(known_at) <= NUMBERS_COUNT_MILLIS.unsigned_abs() => {
                // The end of a connection comes after its begin.
                (number, !self.connected) > (known, !known_connected)
            }
            // Of the same moment, that it is connected: a connection that replaces another one begins when that ends.
            // Of a connection that the broker has told of, it tells the end as well. Its last will may come later than the
            // connection that replaces it.
            (None, Some(_)) if known_connected && !self.connected => false,
            _ => (at, self.connected) > (known_at, known_connected),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const AT: i64 = 1_700_000_000_000;

    fn event(connected: bool, at: i64, number: Option<u64>) -> Presence {
        let thing = ThingName::parse("pump-7").unwrap();
        Presence { thing, connected, at: Timestamp::from_millis(at), number }
    }

    /// The `reported` of the update of a shadow with this `reported`.
    fn written(event: &Presence, reported: &Value) -> Option<Value> {
        let document = json!({"state": {"desired": {"a": 1}, "reported": reported}, "version": 7}).to_string();
        let update = event.update(None, Some(document.as_bytes()), false).unwrap()?;
        let body: Value = serde_json::from_slice(&update.body).unwrap();
        assert_eq!((update.thing.as_str(), &body["version"]), ("pump-7", &json!(7)));
        assert!(body["state"].get("desired").is_none());
        Some(body["state"]["reported"].clone())
    }

    #[test]
    fn lifecycle_events_and_messages_of_devices_are_decoded() {
        let decode = |event: &str| Presence::decode(event).unwrap();
        let lifecycle = decode(r#"{"thing":"pump-7","eventType":"disconnected","versionNumber":3,"at":1700000000000}"#);
        assert_eq!(lifecycle, Some(event(false, AT, Some(3))));
        let message = |message: &str| {
            let payload = BASE64.encode(message.as_bytes());
            Presence::decode(&format!(r#"{{"thing":"pump-7","payload":"{payload}","at":1700000000000}}"#))
        };
        let will = message(r#"{"connected": false, "battery": 3}"#).unwrap();
        assert_eq!(will, Some(event(false, AT, None)));
        assert_eq!(decode(r#"{"thing":"an app","eventType":"connected","at":1}"#), None);
        for bad in [
            "{",
            r#"{"thing":"pump-7","at":1}"#,
            r#"{"thing":"pump-7","eventType":"subscribed","at":1}"#,
            r#"{"thing":"pump-7","payload":"?","at":1}"#,
            r#"{"thing":"pump-7","eventType":"connected"}"#,
            r#"{"eventType":"connected","at":1}"#,
        ] {
            assert!(Presence::decode(bad).is_err(), "{bad}");
        }
        for bad in ["", "gone", "{}", r#"{"connected":"no"}"#, "true"] {
            assert!(message(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_newest_event_stays_in_the_shadow_in_whatever_order_they_come() {
        let connected = |number, at| (event(true, AT + at, number), (number, true));
        let disconnected = |number, at| (event(false, AT + at, number), (number, false));
        let hours = 3_600_000;
        // In the order of what happened.
        let numbered = [
            connected(Some(1), 0),
            disconnected(Some(1), 1_000),
            connected(Some(2), 5_000),
            // A connection that is replaced ends after the new one has begun.
            disconnected(Some(2), 7_010),
            connected(Some(3), 7_000),
        ];
        let by_time =
            [connected(None, 0), disconnected(None, 1_000), connected(None, 1_000), disconnected(None, 2_000)];
        let counted_again =
            [disconnected(Some(90), 0), connected(Some(0), 2 * hours), disconnected(Some(0), 2 * hours + 5)];
        for events in [&numbered[..], &by_time, &counted_again] {
            for (first, _) in events {
                for (last, (_, is_connected)) in events.iter().rev().take(1) {
                    for order in [[first, last], [last, first]] {
                        let mut reported = json!({"speed": 3});
                        for event in order {
                            if let Some(new) = written(event, &reported) {
                                reported.as_object_mut().unwrap().extend(new.as_object().unwrap().clone());
                            }
                        }
                        assert_eq!(reported["connected"], *is_connected, "{order:?}");
                        assert_eq!(reported["connectedAt"], last.at.as_millis(), "{order:?}");
                        assert_eq!(reported["speed"], 3);
                    }
                }
                assert_eq!(written(first, &written(first, &json!({})).unwrap()), None, "it comes twice");
            }
        }
    }

    #[test]
    fn a_last_will_does_not_end_a_connection_that_the_broker_tells_of() {
        let connected = written(&event(true, AT, Some(4)), &json!({})).unwrap();
        assert_eq!(written(&event(false, AT + 1_000, None), &connected), None);
        let ended = written(&event(false, AT + 2_000, Some(4)), &connected).unwrap();
        // Behind a core it speaks for itself.
        let behind = written(&event(true, AT + 9_000, None), &ended).unwrap();
        assert_eq!(written(&event(false, AT + 9_500, None), &behind).unwrap()["connected"], false);
    }

    #[test]
    fn a_classic_shadow_that_holds_a_command_is_left_alone() {
        let command = r#"[{"reboot":{"message":"","topic":"t","ttl":60}}]"#;
        let named = ShadowName::parse("presence").ok();
        for (desired, shadow, writes) in
            [(command, None, false), (command, named.as_ref(), true), ("[]", None, true), ("null", None, true)]
        {
            let document = format!(r#"{{"state":{{"desired":{{"command":{desired}}}}},"version":7}}"#);
            let update = event(true, AT, Some(1)).update(shadow, Some(document.as_bytes()), false).unwrap();
            assert_eq!(update.is_some(), writes, "{desired} {shadow:?}");
        }
    }

    #[test]
    fn a_shadow_is_created_only_where_that_is_asked_for() {
        let connected = event(true, AT, Some(1));
        let shadow = ShadowName::parse("presence").ok();
        assert_eq!(connected.update(shadow.as_ref(), None, false).unwrap(), None);
        let update = connected.update(shadow.as_ref(), None, true).unwrap().unwrap();
        assert_eq!(update.shadow, shadow);
        let body = r#"{"state":{"reported":{"connected":true,"connectedAt":1700000000000,"connectionNumber":1}}}"#;
        assert_eq!(String::from_utf8(update.body).unwrap(), body);
    }

    #[test]
    fn what_others_have_written_is_replaced() {
        for reported in
            [json!({"connected": "yes"}), json!({"connected": true}), json!({"connectedAt": "x"}), json!([])]
        {
            assert!(written(&event(true, AT, None), &reported).is_some(), "{reported}");
        }
        assert!(event(true, AT, None).update(None, Some(b"{"), false).is_err());
    }
}
