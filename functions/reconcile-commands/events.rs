//! What brings a tick: the schedule, or the queue that holds the rest of its minute. Either says when the tick is.

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{failure::Failure, time};

/// A tick, and who brought it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tick {
    /// The first of its minute.
    FirstOfMinute(Timestamp),
    /// Any other.
    Later(Timestamp),
}

impl Tick {
    /// When it is.
    pub fn at(self) -> Timestamp {
        match self {
            Self::FirstOfMinute(at) | Self::Later(at) => at,
        }
    }
}

/// What the schedule sends, and the body of a message on the queue.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Scheduled {
    scheduled_time: String,
}

/// What Lambda makes of messages on the queue: of one at a time, by the template. The schedule's event has no such member.
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "Records")]
    records: Option<[Message; 1]>,
}

#[derive(Deserialize)]
struct Message {
    body: String,
}

/// Which tick this event is.
pub fn decode(event: &str) -> Result<Tick, Failure> {
    let Event { records } = serde_json::from_str(event).map_err(Failure::Event)?;
    match records {
        None => Ok(Tick::FirstOfMinute(scheduled_time(event)?)),
        Some([Message { body }]) => Ok(Tick::Later(scheduled_time(&body)?)),
    }
}

/// The message that brings a later tick.
pub fn message(at: Timestamp) -> String {
    // A text in a struct: there is nothing that JSON can't say.
    serde_json::to_string(&Scheduled { scheduled_time: time::show(at) }).unwrap_or_default()
}

fn scheduled_time(text: &str) -> Result<Timestamp, Failure> {
    let scheduled: Scheduled = serde_json::from_str(text).map_err(Failure::Event)?;
    time::parse(&scheduled.scheduled_time).map_err(Failure::Time)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixtures::fixtures;

    const AT: Timestamp = Timestamp::from_seconds(1_700_000_300);

    #[test]
    fn a_tick_says_when_it_was_and_who_brought_it() {
        for (name, event) in fixtures("reconcile-commands") {
            let decoded = decode(&event);
            match name.split('_').collect::<Vec<_>>()[..] {
                ["good", "queue", ..] => assert_eq!(decoded.expect(&name), Tick::Later(AT), "{name}"),
                ["good", ..] => assert_eq!(decoded.expect(&name), Tick::FirstOfMinute(AT), "{name}"),
                _ => assert!(decoded.is_err(), "{name}"),
            }
        }
    }

    #[test]
    fn what_is_queued_is_what_is_read() {
        for at in [AT, Timestamp::from_millis(1_700_000_300_007), Timestamp::default()] {
            let event = json!({"Records": [{"messageId": "1", "body": message(at)}]});
            assert_eq!(decode(&event.to_string()).expect("a tick"), Tick::Later(at));
        }
    }
}
