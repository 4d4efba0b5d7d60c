//! `BroadcastRequest`: the one MQTT message of a broadcast.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::command::row::Command;
use crate::fleet::broadcast::Broadcast;
use crate::names::GroupName;
use crate::timestamp::Timestamp;
use crate::topic::Topic;

/// The message that requests a command of all things of a fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BroadcastRequest {
    /// The topic to publish to.
    pub topic: Topic,
    /// MQTT correlation data: the command's id.
    pub correlation_data: String,
    /// MQTT message expiry in seconds: the rest of the ttl.
    pub expiry_seconds: u32,
    /// JSON.
    pub body: Vec<u8>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    command_id: &'a str,
    attempt: u16,
    command: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a RawValue>,
    ttl: u32,
    expires_at: i64,
    // Seconds since 1970, as the expiry.
    issued_at: i64,
    // The same in milliseconds: of two requests to a thing, the one with the greater number was issued later.
    sequence: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    heartbeat: Option<u32>,
    /// The target, so that a thing that is not in the group ignores the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spread: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_topic: Option<&'a str>,
}

impl BroadcastRequest {
    /// The message of a command, sent at `now`. `response_topic` is the answer topic of devices that have none of their
    /// own.
    ///
    /// # Errors
    /// The body cannot be serialized.
    pub fn new(
        command: &Command,
        broadcast: &Broadcast,
        response_topic: Option<&str>,
        now: Timestamp,
    ) -> Result<Self, serde_json::Error> {
        let deadlines = command.definition.deadlines;
        let body = serde_json::to_vec(&Envelope {
            command_id: command.id.as_str(),
            attempt: 1,
            command: command.definition.name.as_str(),
            payload: command.definition.payload.as_ref().map(|payload| payload.as_json()),
            ttl: deadlines.ttl_seconds(),
            expires_at: command.start_by().as_seconds(),
            issued_at: now.as_seconds(),
            sequence: now.as_millis(),
            heartbeat: deadlines.heartbeat_seconds(),
            group: command
                .definition
                .target
                .fleet()
                .and_then(|fleet| fleet.selection.only_group())
                .map(GroupName::as_str),
            spread: Some(broadcast.spread).filter(|spread| *spread > 0),
            response_topic,
        })?;
        let expiry_seconds = now.seconds_until(command.start_by()).max(1);
        Ok(Self { topic: broadcast.topic.clone(), correlation_data: command.id.to_string(), expiry_seconds, body })
    }
}
