//! The broker's API for AWS services: publish, taps, retained messages, snapshot and restore.

use serde_json::Value;
use tokio::sync::mpsc;

use super::Broker;
use super::limits;
use super::message::{Message, Published, Publisher};
use super::topic;

/// Why a message was refused.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The topic is invalid, or does not allow this message.
    #[error("topic {topic:?}: {reason}")]
    Topic {
        /// The refused topic.
        topic: String,
        /// The violated rule.
        reason: &'static str,
    },
    /// A property is longer than 65535 bytes, the maximum of MQTT.
    #[error("{property} is {bytes} bytes; at most 65535 are allowed")]
    Property {
        /// Name of the property.
        property: &'static str,
        /// Length of the property.
        bytes: usize,
    },
    /// The message is larger than 128 KB.
    #[error("the message is {bytes} bytes; at most 131072 are allowed")]
    TooLarge {
        /// Size of payload and properties.
        bytes: usize,
    },
}

/// Checks the rules for every message: topic, properties, size.
pub(super) fn check_message(message: &Message) -> Result<(), PublishError> {
    let refused = |reason| PublishError::Topic { topic: message.topic.clone(), reason };
    topic::check_topic(&message.topic).map_err(refused)?;
    if message.retain && message.topic.starts_with('$') {
        return Err(refused("messages on reserved topics cannot be retained"));
    }
    if let Some((property, bytes)) = message.properties.find_too_long() {
        return Err(PublishError::Property { property, bytes });
    }
    match message.size() {
        bytes if bytes > limits::MAX_MESSAGE_BYTES => Err(PublishError::TooLarge { bytes }),
        _ => Ok(()),
    }
}

impl Broker {
    /// Publishes a message of an AWS service: data plane, shadow service or rule. Taps receive it too.
    /// Services may publish to reserved topics; for clients see [`check_client_topic`](crate::check_client_topic).
    ///
    /// # Errors
    /// The topic is invalid, a property is too long, or the message is larger than 128 KB.
    pub fn publish(&self, mut message: Message) -> Result<(), PublishError> {
        check_message(&message)?;
        message.qos = message.qos.min(1);
        self.lock().publish(message, Publisher::default(), false);
        Ok(())
    }

    /// Receives every message that the broker accepts from now on, in order, `$aws/...` included.
    pub fn tap(&self) -> mpsc::UnboundedReceiver<Published> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.lock().taps.push(sender);
        receiver
    }

    /// A topic's retained message, and its time of publication in milliseconds since 1970.
    pub fn retained(&self, topic: &str) -> Option<(Message, i64)> {
        let mut state = self.lock();
        let now_ms = state.expire_sessions();
        state.retained.get(topic, now_ms).map(|retained| (Message::clone(&retained.message), retained.at_ms))
    }

    /// Topic, payload bytes, QoS and time (milliseconds since 1970) of every retained message, ordered by topic.
    pub fn retained_topics(&self) -> Vec<(String, usize, u8, i64)> {
        let mut state = self.lock();
        let now_ms = state.expire_sessions();
        let all = state.retained.all(now_ms).into_iter();
        all.map(|retained| {
            (retained.message.topic.clone(), retained.message.payload.len(), retained.message.qos, retained.at_ms)
        })
        .collect()
    }

    /// The state that survives a restart of the stack: the retained messages and the persistent sessions.
    pub fn snapshot(&self) -> Value {
        let mut state = self.lock();
        let now_ms = state.expire_sessions();
        serde_json::json!({ "retained": state.retained.snapshot(now_ms), "sessions": state.saved_sessions(now_ms) })
    }

    /// Adds what a [`Broker::snapshot`] holds; unreadable messages and sessions are skipped with a warning.
    pub fn restore(&self, saved: &Value) {
        let mut state = self.lock();
        state.retained.restore(&saved["retained"]);
        state.restore_sessions(&saved["sessions"]);
    }
}
