//! One message for a whole fleet.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::{Command, GroupName, Timestamp, Topic};

/// How a fleet is asked with one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broadcast {
    /// Where to.
    pub topic: Topic,
    /// Within how many seconds the answers come, each after a time of its own; 0 for at once.
    pub spread: u32,
}

/// A broadcast that can't be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BroadcastError {
    /// It is not known where to.
    #[error("broadcast.topic is missing: only a target of one group says by itself where its things listen")]
    NoTopic,
    /// Nobody may publish there.
    #[error("broadcast.topic must be cmd/group/<group>/req{}: it is {found:?}", .configured.as_ref().map(|topic| format!(" or {topic}")).unwrap_or_default())]
    Topic {
        /// What it is.
        found: String,
        /// What else it could be.
        configured: Option<String>,
    },
    /// Some would answer when nobody listens any more.
    #[error("broadcast.spread must be 0 to {longest} seconds, less than the ttl: it is {found}")]
    Spread {
        /// What it is.
        found: i64,
        /// What it could be.
        longest: u32,
    },
}

/// A message that asks a whole fleet to do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BroadcastRequest {
    /// Where to.
    pub topic: Topic,
    /// The command, as MQTT's correlation data.
    pub correlation: String,
    /// Not worth delivering after this many seconds.
    pub expiry: u32,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    heartbeat: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spread: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_topic: Option<&'a str>,
}

impl Broadcast {
    /// The broadcast that is asked for. `configured` is the one topic beside those of groups that this system publishes to.
    pub fn new(
        topic: Option<&str>,
        groups: &[GroupName],
        spread: Option<i64>,
        ttl: u32,
        configured: Option<&str>,
    ) -> Result<Self, BroadcastError> {
        let topic = match (topic, groups) {
            (None, [only]) => Topic::group_request(only),
            (None, _) => return Err(BroadcastError::NoTopic),
            (Some(topic), _) => Topic::broadcast(topic, configured).ok_or_else(|| BroadcastError::Topic {
                found: topic.chars().take(256).collect(),
                configured: configured.map(str::to_owned),
            })?,
        };
        let longest = ttl.saturating_sub(1);
        let found = spread.unwrap_or(0);
        match u32::try_from(found) {
            Ok(spread) if spread <= longest => Ok(Self { topic, spread }),
            _ => Err(BroadcastError::Spread { found, longest }),
        }
    }
}

impl BroadcastRequest {
    /// The message for this command, sent at this time. `response_topic` is where devices answer that do not know any better.
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
            ttl: deadlines.ttl(),
            expires_at: command.start_by().as_seconds(),
            heartbeat: deadlines.heartbeat(),
            spread: Some(broadcast.spread).filter(|spread| *spread > 0),
            response_topic,
        })?;
        let expiry = now.seconds_until(command.start_by()).max(1);
        Ok(Self { topic: broadcast.topic.clone(), correlation: command.id.to_string(), expiry, body })
    }
}
