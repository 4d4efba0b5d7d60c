//! Amazon SQS: standard queues, as failed events and delayed messages need them, in the protocol of the AWS CLI.
//!
//! | module | holds |
//! |---|---|
//! | [`queue`] | one standard queue: visibility, delay, receipts |
//! | [`api`] | the `AmazonSQS.*` operations in the JSON protocol |

mod api;
mod queue;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use local_clock::Clock;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::watch;

pub use queue::Message;
use queue::Queue;

/// A handle on all queues; clones share them.
#[derive(Clone)]
pub struct Sqs(Arc<Inner>);

struct Inner {
    clock: Clock,
    region: String,
    account: String,
    queues: BTreeMap<String, Entry>,
    /// Changes with every message that is sent.
    arrived: watch::Sender<()>,
}

/// A queue, and its properties in the template.
struct Entry {
    declared: local_resources::Queue,
    queue: Mutex<Queue>,
}

impl Entry {
    fn new(declared: local_resources::Queue) -> (String, Self) {
        (declared.name.clone(), Self { declared, queue: Mutex::default() })
    }
}

impl Sqs {
    /// Starts queues, given by their properties or by their names. ARNs and URLs follow from region and account.
    pub fn new(clock: Clock, region: &str, account: &str, queues: Vec<impl Into<local_resources::Queue>>) -> Self {
        let queues = queues.into_iter().map(|queue| Entry::new(queue.into())).collect();
        let (region, account) = (region.to_owned(), account.to_owned());
        Self(Arc::new(Inner { clock, region, account, queues, arrived: watch::Sender::new(()) }))
    }

    /// Sends a message to a queue, given by name, URL or ARN; false if there is no such queue.
    pub fn send(&self, queue: &str, body: String) -> bool {
        self.send_delayed(queue, body, None).is_some()
    }

    /// Sends a message with this delay in seconds, or with the queue's own; returns the message's id, or `None` if
    /// there is no such queue.
    pub fn send_delayed(&self, queue: &str, body: String, delay_s: Option<u32>) -> Option<String> {
        let delay_ms = i64::from(delay_s.unwrap_or(self.entry(queue)?.declared.delay_s)) * 1000;
        let now_ms = self.0.clock.now_ms();
        let id = self.with(queue, |queue| queue.send(body, now_ms, delay_ms));
        self.0.arrived.send_replace(());
        id
    }

    /// Receives at most `most` messages and hides them for `hidden_s` seconds, or for the queue's own visibility
    /// timeout; `None` if there is no such queue.
    pub fn receive(&self, queue: &str, most: usize, hidden_s: Option<u32>) -> Option<Vec<Message>> {
        let hidden_ms = i64::from(hidden_s.unwrap_or(self.entry(queue)?.declared.visibility_s)) * 1000;
        let now_ms = self.0.clock.now_ms();
        self.with(queue, |queue| queue.receive(most, now_ms, hidden_ms))
    }

    /// Deletes a message by the receipt of its newest receive; false if there is no such queue.
    pub fn delete(&self, queue: &str, receipt: &str) -> bool {
        self.with(queue, |queue| queue.delete(receipt)).is_some()
    }

    /// Time at which the next message is visible, in milliseconds since 1970; it can be in the past.
    pub fn next_visible_ms(&self, queue: &str) -> Option<i64> {
        self.with(queue, |queue| queue.next_visible_ms()).flatten()
    }

    /// Changes with every message that is sent to any queue.
    pub fn arrivals(&self) -> watch::Receiver<()> {
        self.0.arrived.subscribe()
    }

    /// The system attributes of a message, by name.
    pub fn system_attributes(&self, message: &Message) -> [(&'static str, String); 4] {
        [
            ("SenderId", self.0.account.clone()),
            ("SentTimestamp", message.sent_ms.to_string()),
            ("ApproximateReceiveCount", message.receives.to_string()),
            ("ApproximateFirstReceiveTimestamp", message.first_received_ms.to_string()),
        ]
    }

    /// The bodies of a queue's messages, oldest first, without a receive.
    pub fn peek(&self, queue: &str) -> Vec<String> {
        self.with(queue, |queue| queue.bodies()).unwrap_or_default()
    }

    /// Number of messages that were sent to a queue since the start.
    pub fn sent(&self, queue: &str) -> u64 {
        self.with(queue, |queue| queue.sent()).unwrap_or(0)
    }

    /// Removes every message of a queue.
    pub fn purge(&self, queue: &str) {
        self.with(queue, Queue::purge);
    }

    /// `AmazonSQS.*` with the JSON protocol: SendMessage, SendMessageBatch, ReceiveMessage, DeleteMessage, PurgeQueue,
    /// GetQueueUrl, GetQueueAttributes, ListQueues.
    pub fn router(&self) -> axum::Router {
        api::router(self.clone())
    }

    /// Every message of every queue, for [`Sqs::restore`].
    pub fn snapshot(&self) -> Value {
        let queues = self.0.queues.iter().map(|(name, entry)| {
            let queue = entry.queue.lock().unwrap_or_else(PoisonError::into_inner);
            // Strings and numbers only, so serialization cannot fail.
            (name.clone(), serde_json::to_value(&*queue).unwrap_or_default())
        });
        Value::Object(queues.collect())
    }

    /// Restores a [`Sqs::snapshot`]; messages of queues that no longer exist are dropped with a warning.
    ///
    /// # Errors
    /// The snapshot cannot be read; nothing has changed.
    pub fn restore(&self, state: &Value) -> Result<(), serde_json::Error> {
        for (name, saved) in BTreeMap::<String, Queue>::deserialize(state)? {
            if self.with(&name, |queue| *queue = saved).is_none() {
                tracing::warn!(queue = name, "messages of a queue that no longer exists are dropped");
            }
        }
        Ok(())
    }

    fn entry(&self, queue: &str) -> Option<&Entry> {
        self.0.queues.get(name(queue))
    }

    /// Acts on a queue, after messages past the retention period have been dropped.
    fn with<T>(&self, queue: &str, action: impl FnOnce(&mut Queue) -> T) -> Option<T> {
        let entry = self.entry(queue)?;
        let mut queue = entry.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.drop_sent_before(self.0.clock.now_ms().saturating_sub(i64::from(entry.declared.retention_s) * 1000));
        Some(action(&mut queue))
    }
}

/// The queue's name in a name, URL or ARN.
fn name(queue: &str) -> &str {
    queue.rsplit(['/', ':']).next().unwrap_or(queue)
}
