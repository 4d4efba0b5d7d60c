//! SQS, as far as failed events need it: queues that hold what nobody could handle, readable with the AWS CLI.

mod api;
mod queue;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use serde_json::Value;
use tokio::sync::watch;

use crate::clock::Clock;

use queue::Queue;

/// A handle on all queues; clones share them.
#[derive(Clone)]
pub struct Sqs(Arc<Inner>);

struct Inner {
    clock: Clock,
    region: String,
    account: String,
    queues: BTreeMap<String, Mutex<Queue>>,
    /// Changes with every message, for those who wait for one.
    arrived: watch::Sender<()>,
}

impl Sqs {
    /// `queues` are names; ARNs and URLs follow from region, account and the gateway's address.
    pub fn new(clock: Clock, region: &str, account: &str, queues: Vec<String>) -> Self {
        let queues = queues.into_iter().map(|name| (name, Mutex::default())).collect();
        let (region, account) = (region.to_owned(), account.to_owned());
        Self(Arc::new(Inner { clock, region, account, queues, arrived: watch::Sender::new(()) }))
    }

    /// Puts a message on a queue, given by name, URL or ARN; false when there is no such queue.
    pub fn send(&self, queue: &str, body: String) -> bool {
        let now_ms = self.0.clock.now_ms();
        let sent = self.with(queue, |queue| queue.send(body, now_ms, 0)).is_some();
        self.0.arrived.send_replace(());
        sent
    }

    /// The bodies on a queue, oldest first, without receiving them.
    pub fn peek(&self, queue: &str) -> Vec<String> {
        self.with(queue, |queue| queue.bodies()).unwrap_or_default()
    }

    /// `AmazonSQS.*` with the JSON protocol: SendMessage, ReceiveMessage, DeleteMessage, PurgeQueue, GetQueueUrl, GetQueueAttributes, ListQueues.
    pub fn router(&self) -> axum::Router {
        api::router(self.clone())
    }

    /// Every message of every queue.
    pub fn snapshot(&self) -> Value {
        let queues = self.0.queues.iter().map(|(name, queue)| {
            let queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
            // Texts and numbers only: there is nothing that JSON cannot say.
            (name.clone(), serde_json::to_value(&*queue).unwrap_or_default())
        });
        Value::Object(queues.collect())
    }

    /// Takes back a [`Sqs::snapshot`]; what lay on a queue that there is no more is left out, with a warning.
    ///
    /// # Errors
    /// The snapshot cannot be read; nothing has changed.
    pub fn restore(&self, state: &Value) -> Result<(), serde_json::Error> {
        for (name, saved) in BTreeMap::<String, Queue>::deserialize(state)? {
            if self.with(&name, |queue| *queue = saved).is_none() {
                tracing::warn!(queue = name, "the saved state has messages of a queue that there is no more");
            }
        }
        Ok(())
    }

    fn with<T>(&self, queue: &str, action: impl FnOnce(&mut Queue) -> T) -> Option<T> {
        let queue = self.0.queues.get(name(queue))?;
        Some(action(&mut queue.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// The name in a name, URL or ARN: what follows the last separator.
fn name(queue: &str) -> &str {
    queue.rsplit(['/', ':']).next().unwrap_or(queue)
}
