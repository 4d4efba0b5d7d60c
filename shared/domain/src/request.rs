//! What is said to a device.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::{Command, Execution, Timestamp, Topic};

/// A message that asks a device to do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Where to.
    pub topic: Topic,
    /// Where the answer is expected.
    pub response_topic: Topic,
    /// The execution, as MQTT's correlation data.
    pub correlation: String,
    /// Not worth delivering after this many seconds.
    pub expiry: u32,
    /// JSON.
    pub body: Vec<u8>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    // The id comes first: a device that echoes only the beginning of what it got still says which execution it means.
    execution_id: &'a str,
    attempt: u16,
    command: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a RawValue>,
    ttl: u32,
    expires_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    heartbeat: Option<u32>,
    response_topic: &'a str,
}

impl Request {
    /// The type of every request's body.
    pub const CONTENT_TYPE: &'static str = "application/json";

    /// The request for this execution of this command, sent at this time.
    pub fn new(command: &Command, execution: &Execution, now: Timestamp) -> Result<Self, serde_json::Error> {
        let thing = &execution.key.thing;
        let response_topic = Topic::response(thing);
        let body = serde_json::to_vec(&Envelope {
            execution_id: execution.key.id.as_str(),
            attempt: execution.attempt,
            command: command.definition.name.as_str(),
            payload: command.definition.payload.as_ref().map(|payload| payload.as_json()),
            ttl: command.definition.deadlines.ttl(),
            expires_at: execution.start_by.as_seconds(),
            heartbeat: execution.heartbeat,
            response_topic: response_topic.as_str(),
        })?;
        Ok(Self {
            topic: Topic::request(thing),
            correlation: execution.key.id.to_string(),
            expiry: now.seconds_until(execution.start_by).max(1),
            response_topic,
            body,
        })
    }
}
