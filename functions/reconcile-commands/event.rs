//! The events of this function: ticks of the schedule, and messages of the queue: later ticks, and wakes.

use domain::{Timestamp, Wake};
use runtime::handler_error::HandlerError;
use runtime::time_format;
use serde::{Deserialize, Serialize, de::Error as _};

/// What the function has to do.
#[derive(Debug)]
pub enum Event {
    /// The first tick of a minute, from the schedule, with its time.
    Schedule(Timestamp),
    /// Messages of the queue.
    Messages(Vec<Message>),
}

/// A message of the queue.
#[derive(Debug)]
pub struct Message {
    /// The id by which the answer names a message that failed.
    pub id: String,
    /// What it says. One that can't be read does not stop the others.
    pub body: Result<MessageBody, HandlerError>,
}

/// What a message of the queue says.
#[derive(Debug, PartialEq, Eq)]
pub enum MessageBody {
    /// A later tick of the minute, with its time.
    Tick(Timestamp),
    /// Something is due.
    Wake(Wake),
}

/// An event of the schedule, whose Input in template.yaml has a constant `kind`, or of the queue.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    kind: Option<Kind>,
    scheduled_time: Option<String>,
    #[serde(rename = "Records")]
    records: Option<Vec<QueueRecord>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Tick,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QueueRecord {
    message_id: String,
    #[serde(rename = "eventSource")]
    _source: EventSource,
    body: String,
}

#[derive(Deserialize)]
enum EventSource {
    #[serde(rename = "aws:sqs")]
    Sqs,
}

/// The body of a message that brings a later tick.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct QueuedTick {
    scheduled_time: String,
}

/// What tells the body of a wake from that of a tick.
#[derive(Deserialize)]
struct WithKind {
    kind: Option<String>,
}

impl Event {
    /// Decodes an event by its `kind`; one without it must be of the queue.
    ///
    /// # Errors
    /// [`HandlerError::Event`] if it is neither, [`HandlerError::Time`] if its time is not in RFC 3339.
    pub fn decode(event: &str) -> Result<Self, HandlerError> {
        let Envelope { kind, scheduled_time, records } = serde_json::from_str(event).map_err(HandlerError::Event)?;
        match (kind, records) {
            (Some(Kind::Tick), _) => {
                let time = scheduled_time.ok_or_else(|| missing("scheduledTime"))?;
                parse(&time).map(Self::Schedule)
            }
            (None, Some(records)) if !records.is_empty() => {
                let message = |record: QueueRecord| Message { id: record.message_id, body: decode_body(&record.body) };
                Ok(Self::Messages(records.into_iter().map(message).collect()))
            }
            _ => Err(missing("kind")),
        }
    }
}

fn decode_body(body: &str) -> Result<MessageBody, HandlerError> {
    let WithKind { kind } = serde_json::from_str(body).map_err(HandlerError::Event)?;
    if kind.is_some() {
        return Wake::parse(body).map(MessageBody::Wake).map_err(HandlerError::Wake);
    }
    let tick: QueuedTick = serde_json::from_str(body).map_err(HandlerError::Event)?;
    parse(&tick.scheduled_time).map(MessageBody::Tick)
}

/// The body of the message that brings a later tick.
pub fn queue_message(time: Timestamp) -> String {
    // A struct of one text always serializes.
    serde_json::to_string(&QueuedTick { scheduled_time: time_format::show(time) }).unwrap_or_default()
}

fn missing(field: &'static str) -> HandlerError {
    HandlerError::Event(serde_json::Error::missing_field(field))
}

fn parse(time: &str) -> Result<Timestamp, HandlerError> {
    time_format::parse(time).map_err(HandlerError::Time)
}

#[cfg(test)]
mod tests {
    use runtime::handler_error::chain;
    use serde_json::json;

    use super::*;
    use crate::fixtures::fixtures;

    const TIME: Timestamp = Timestamp::from_seconds(1_700_000_300);

    fn bodies(event: &str) -> Result<Vec<MessageBody>, HandlerError> {
        match Event::decode(event)? {
            Event::Schedule(time) => Ok(vec![MessageBody::Tick(time)]),
            Event::Messages(messages) => messages.into_iter().map(|message| message.body).collect(),
        }
    }

    #[test]
    fn good_events_are_decoded_by_their_kind_and_bad_ones_are_refused() {
        for (name, event) in fixtures("reconcile-commands") {
            let decoded = bodies(&event);
            match name.split('_').collect::<Vec<_>>()[..] {
                ["good", "wake", ..] => {
                    let decoded = decoded.expect(&name);
                    assert!(decoded.iter().all(|body| matches!(body, MessageBody::Wake(_))), "{name}: {decoded:?}");
                }
                ["good", ..] => {
                    let decoded = decoded.expect(&name);
                    assert!(decoded.iter().all(|body| *body == MessageBody::Tick(TIME)), "{name}: {decoded:?}");
                }
                _ => assert!(decoded.is_err(), "{name}: {decoded:?}"),
            }
        }
    }

    #[test]
    fn refused_event_says_what_is_wrong() {
        for (event, why) in [
            (r#"{"kind":"report","scheduledTime":"2023-11-14T22:18:20Z"}"#, "`report`, expected `tick`"),
            (r#"{"scheduledTime":"2023-11-14T22:18:20Z"}"#, "missing field `kind`"),
            (r#"{"kind":"tick"}"#, "missing field `scheduledTime`"),
            (r#"{"Records":[{"messageId":"1","eventSource":"aws:dynamodb","body":"{}"}]}"#, "expected `aws:sqs`"),
            (r#"{"Records":[{"messageId":"1","body":"{}"}]}"#, "missing field `eventSource`"),
            (r#"{"Records":[{"eventSource":"aws:sqs","body":"{}"}]}"#, "missing field `messageId`"),
            (r#"{"Records":[{"messageId":"1","eventSource":"aws:sqs","body":"{\"kind\":\"nap\"}"}]}"#, "no wake"),
        ] {
            let error = chain(&bodies(event).expect_err(event));
            assert!(error.contains(why), "{event}: {error}");
        }
    }

    #[test]
    fn queued_message_is_decoded_to_the_same_time() {
        for time in [TIME, Timestamp::from_millis(1_700_000_300_007), Timestamp::default()] {
            let record = json!({"messageId": "1", "eventSource": "aws:sqs", "body": queue_message(time)});
            let event = json!({"Records": [record]});
            assert_eq!(bodies(&event.to_string()).expect("a tick"), [MessageBody::Tick(time)]);
        }
    }

    #[test]
    fn message_that_cannot_be_read_does_not_hide_the_others() {
        let record = |id: &str, body: &str| json!({"messageId": id, "eventSource": "aws:sqs", "body": body});
        let event = json!({"Records": [record("1", "tick"), record("2", &queue_message(TIME))]});
        let Event::Messages(messages) = Event::decode(&event.to_string()).expect("messages") else { panic!("a tick") };
        let read: Vec<_> = messages.iter().map(|message| (message.id.as_str(), message.body.is_ok())).collect();
        assert_eq!(read, [("1", false), ("2", true)]);
    }
}
