//! The retained message of each topic.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::warn;

use super::message::{Message, Properties};

/// The retained messages by topic.
#[derive(Debug, Default)]
pub(super) struct RetainedMessages(HashMap<String, RetainedMessage>);

/// A retained message and its time of publication, in milliseconds since 1970.
#[derive(Clone, Debug)]
pub(super) struct RetainedMessage {
    pub(super) message: Arc<Message>,
    pub(super) at_ms: i64,
}

impl RetainedMessages {
    /// Replaces the topic's retained message. An empty payload removes it (MQTT 5, 3.3.1.3).
    pub(super) fn put(&mut self, message: &Arc<Message>, at_ms: i64) {
        if message.payload.is_empty() {
            self.0.remove(&message.topic);
        } else {
            self.0.insert(message.topic.clone(), RetainedMessage { message: message.clone(), at_ms });
        }
    }

    /// The topic's retained message, unless it has expired.
    pub(super) fn get(&self, topic: &str, now_ms: i64) -> Option<&RetainedMessage> {
        self.0
            .get(topic)
            .filter(|retained| retained.message.expires_at_ms(retained.at_ms).is_none_or(|end| now_ms < end))
    }

    /// All retained messages that have not expired, ordered by topic.
    pub(super) fn all(&self, now_ms: i64) -> Vec<&RetainedMessage> {
        let mut all: Vec<&RetainedMessage> = self.0.keys().filter_map(|topic| self.get(topic, now_ms)).collect();
        all.sort_by(|a, b| a.message.topic.cmp(&b.message.topic));
        all
    }

    pub(super) fn snapshot(&self, now_ms: i64) -> Value {
        self.all(now_ms)
            .into_iter()
            .map(|retained| serde_json::to_value(Stored::new(&retained.message, retained.at_ms)).unwrap_or_default())
            .collect()
    }

    /// Adds the messages of a snapshot. Unreadable ones are skipped with a warning.
    pub(super) fn restore(&mut self, state: &Value) {
        for stored in state.as_array().into_iter().flatten() {
            match Stored::deserialize(stored)
                .map_err(|error| error.to_string())
                .and_then(|stored| stored.into_message(true))
            {
                Ok((message, at_ms)) => self.put(&Arc::new(message), at_ms),
                Err(error) => warn!(error, "an unreadable retained message of the saved state is skipped"),
            }
        }
    }
}

/// A message in the saved state; binary fields in base64.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Stored {
    topic: String,
    payload: String,
    qos: u8,
    at_ms: i64,
    #[serde(default)]
    content_type: Option<String>,
    #[serde(default)]
    response_topic: Option<String>,
    #[serde(default)]
    correlation_data: Option<String>,
    #[serde(default)]
    message_expiry_s: Option<u32>,
    #[serde(default)]
    utf8: bool,
    #[serde(default)]
    user: Vec<(String, String)>,
}

impl Stored {
    pub(super) fn new(message: &Message, at_ms: i64) -> Self {
        let Message { topic, payload, qos, properties, .. } = message;
        let properties = properties.clone();
        Self {
            topic: topic.clone(),
            payload: BASE64.encode(payload),
            qos: *qos,
            at_ms,
            content_type: properties.content_type,
            response_topic: properties.response_topic,
            correlation_data: properties.correlation_data.map(|data| BASE64.encode(&data)),
            message_expiry_s: properties.message_expiry_s,
            utf8: properties.utf8,
            user: properties.user,
        }
    }

    /// The message, and its time of publication.
    pub(super) fn into_message(self, retain: bool) -> Result<(Message, i64), String> {
        let bytes = |text: &str| BASE64.decode(text.as_bytes()).map(Bytes::from).map_err(|error| error.to_string());
        let properties = Properties {
            content_type: self.content_type,
            response_topic: self.response_topic,
            correlation_data: self.correlation_data.as_deref().map(bytes).transpose()?,
            message_expiry_s: self.message_expiry_s,
            utf8: self.utf8,
            user: self.user,
        };
        let payload = bytes(&self.payload)?;
        let message = Message { topic: self.topic, payload, qos: self.qos.min(1), retain, properties };
        super::publishing::check_message(&message).map_err(|error| error.to_string())?;
        Ok((message, self.at_ms))
    }
}
