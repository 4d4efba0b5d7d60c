//! The events of this function: ticks, from the schedule or from the queue.

use domain::Timestamp;
use runtime::handler_error::HandlerError;
use runtime::time_format;
use serde::{Deserialize, Serialize, de::Error as _};

/// A tick: the time at which due work has to be looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The first tick of a minute, from the schedule.
    Schedule(Timestamp),
    /// A later tick of the minute, from the queue.
    Queue(Timestamp),
}

/// An event of the schedule, whose Input in template.yaml has a constant `kind`, or of the queue. The mapping of the
/// queue passes one message at a time.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    kind: Option<Kind>,
    scheduled_time: Option<String>,
    #[serde(rename = "Records")]
    records: Option<[QueueRecord; 1]>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Tick,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QueueRecord {
    #[serde(rename = "eventSource")]
    _source: EventSource,
    body: String,
}

#[derive(Deserialize)]
enum EventSource {
    #[serde(rename = "aws:sqs")]
    Sqs,
}

/// The body of a message on the queue.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct QueuedTick {
    scheduled_time: String,
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
            (None, Some([record])) => {
                let tick: QueuedTick = serde_json::from_str(&record.body).map_err(HandlerError::Event)?;
                parse(&tick.scheduled_time).map(Self::Queue)
            }
            (None, None) => Err(missing("kind")),
        }
    }

    /// The time of the tick.
    pub fn time(self) -> Timestamp {
        match self {
            Self::Schedule(time) | Self::Queue(time) => time,
        }
    }
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

    #[test]
    fn good_events_are_decoded_by_their_kind_and_bad_ones_are_refused() {
        for (name, event) in fixtures("reconcile-commands") {
            let decoded = Event::decode(&event);
            match name.split('_').collect::<Vec<_>>()[..] {
                ["good", "queue", ..] => assert_eq!(decoded.expect(&name), Event::Queue(TIME), "{name}"),
                ["good", ..] => assert_eq!(decoded.expect(&name), Event::Schedule(TIME), "{name}"),
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
            (r#"{"Records":[{"eventSource":"aws:dynamodb","body":"{}"}]}"#, "`aws:dynamodb`, expected `aws:sqs`"),
            (r#"{"Records":[{"body":"{}"}]}"#, "missing field `eventSource`"),
        ] {
            let error = chain(&Event::decode(event).expect_err(event));
            assert!(error.contains(why), "{event}: {error}");
        }
    }

    #[test]
    fn queued_message_is_decoded_to_the_same_time() {
        for time in [TIME, Timestamp::from_millis(1_700_000_300_007), Timestamp::default()] {
            let record = json!({"messageId": "1", "eventSource": "aws:sqs", "body": queue_message(time)});
            let event = json!({"Records": [record]});
            assert_eq!(Event::decode(&event.to_string()).expect("a tick"), Event::Queue(time));
        }
    }
}
