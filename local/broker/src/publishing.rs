//! Publishing from inside AWS, taps, and retained messages.

use serde_json::Value;
use tokio::sync::mpsc;

use super::Broker;
use super::limits;
use super::message::{Message, Published, Publisher};
use super::topic;

/// Why a publish from inside AWS was refused.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// Nobody may publish there.
    #[error("topic {topic:?}: {why}")]
    Topic {
        /// As it was given.
        topic: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Longer than MQTT can say.
    #[error("{property} is {bytes} bytes; at most 65535 are allowed")]
    Property {
        /// Which one, the first that is too long.
        property: &'static str,
        /// Its length.
        bytes: usize,
    },
    /// More than 128 KB.
    #[error("the message is {bytes} bytes; at most 131072 are allowed")]
    TooLarge {
        /// Payload and properties.
        bytes: usize,
    },
}

/// What every message must keep to.
pub(super) fn check(message: &Message) -> Result<(), PublishError> {
    let refused = |why| PublishError::Topic { topic: message.topic.clone(), why };
    topic::check_topic(&message.topic).map_err(refused)?;
    if message.retain && message.topic.starts_with('$') {
        return Err(refused("messages on reserved topics cannot be retained"));
    }
    if let Some((property, bytes)) = message.properties.too_long() {
        return Err(PublishError::Property { property, bytes });
    }
    match message.size() {
        bytes if bytes > limits::MESSAGE_BYTES => Err(PublishError::TooLarge { bytes }),
        _ => Ok(()),
    }
}

impl Broker {
    /// Publishes for the data plane, the shadow service, a rule or a lifecycle event; seen by the tap like any other.
    /// Services may publish where clients may not; `check_client_topic` tells the two apart.
    pub fn publish(&self, mut message: Message) -> Result<(), PublishError> {
        check(&message)?;
        message.qos = message.qos.min(1);
        self.lock().publish(message, Publisher::default(), false);
        Ok(())
    }

    /// Every message that the broker accepts from now on, in order, `$aws/...` included.
    pub fn tap(&self) -> mpsc::UnboundedReceiver<Published> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.lock().taps.push(sender);
        receiver
    }

    /// A topic's retained message, and when it was published.
    pub fn retained(&self, topic: &str) -> Option<(Message, i64)> {
        let mut state = self.lock();
        let now_ms = state.now_ms();
        state.retained.get(topic, now_ms).map(|kept| (Message::clone(&kept.message), kept.at_ms))
    }

    /// Topic, payload size, QoS and time of every retained message, ordered by topic.
    pub fn retained_topics(&self) -> Vec<(String, usize, u8, i64)> {
        let mut state = self.lock();
        let now_ms = state.now_ms();
        let all = state.retained.all(now_ms).into_iter();
        all.map(|kept| (kept.message.topic.clone(), kept.message.payload.len(), kept.message.qos, kept.at_ms)).collect()
    }

    /// What survives a restart of the stack: the retained messages.
    pub fn snapshot(&self) -> Value {
        let mut state = self.lock();
        let now_ms = state.now_ms();
        serde_json::json!({ "retained": state.retained.snapshot(now_ms) })
    }

    /// Takes back a [`Broker::snapshot`].
    pub fn restore(&self, state: &Value) {
        self.lock().retained.restore(&state["retained"]);
    }
}
