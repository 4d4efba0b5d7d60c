//! The retained message of each topic.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::warn;

use super::message::{Message, Properties};

/// All of them, by topic.
#[derive(Debug, Default)]
pub(super) struct Retained(HashMap<String, Kept>);

/// A retained message and when it was published.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) message: Arc<Message>,
    pub(super) at_ms: i64,
}

impl Retained {
    /// Keeps it in the place of the one before. An empty payload leaves none.
    pub(super) fn put(&mut self, message: &Arc<Message>, at_ms: i64) {
        if message.payload.is_empty() {
            self.0.remove(&message.topic);
        } else {
            self.0.insert(message.topic.clone(), Kept { message: message.clone(), at_ms });
        }
    }

    pub(super) fn get(&self, topic: &str, now_ms: i64) -> Option<&Kept> {
        self.0.get(topic).filter(|kept| kept.message.expires_at_ms(kept.at_ms).is_none_or(|end| now_ms < end))
    }

    /// Ordered by topic.
    pub(super) fn all(&self, now_ms: i64) -> Vec<&Kept> {
        let mut all: Vec<&Kept> = self.0.keys().filter_map(|topic| self.get(topic, now_ms)).collect();
        all.sort_by(|a, b| a.message.topic.cmp(&b.message.topic));
        all
    }

    pub(super) fn snapshot(&self, now_ms: i64) -> Value {
        self.all(now_ms).into_iter().map(|kept| serde_json::to_value(Stored::from(kept)).unwrap_or_default()).collect()
    }

    /// What cannot be read is left out, with a warning.
    pub(super) fn restore(&mut self, state: &Value) {
        for stored in state.as_array().into_iter().flatten() {
            match Stored::deserialize(stored).map_err(|error| error.to_string()).and_then(Stored::into_message) {
                Ok((message, at_ms)) => self.put(&Arc::new(message), at_ms),
                Err(error) => warn!(error, "a retained message of the saved state is left out"),
            }
        }
    }
}

/// A retained message on disk.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
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

impl From<&Kept> for Stored {
    fn from(Kept { message, at_ms }: &Kept) -> Self {
        let Message { topic, payload, qos, properties, .. } = &**message;
        let properties = properties.clone();
        Self {
            topic: topic.clone(),
            payload: BASE64.encode(payload),
            qos: *qos,
            at_ms: *at_ms,
            content_type: properties.content_type,
            response_topic: properties.response_topic,
            correlation_data: properties.correlation_data.map(|data| BASE64.encode(&data)),
            message_expiry_s: properties.message_expiry_s,
            utf8: properties.utf8,
            user: properties.user,
        }
    }
}

impl Stored {
    fn into_message(self) -> Result<(Message, i64), String> {
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
        let message = Message { topic: self.topic, payload, qos: self.qos.min(1), retain: true, properties };
        super::publishing::check(&message).map_err(|error| error.to_string())?;
        Ok((message, self.at_ms))
    }
}
