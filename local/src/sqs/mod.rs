//! SQS, as far as failed events and delayed messages need it, readable with the AWS CLI.

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
use crate::template;

pub(crate) use queue::Message;
use queue::Queue;

/// A handle on all queues; clones share them.
#[derive(Clone)]
pub struct Sqs(Arc<Inner>);

struct Inner {
    clock: Clock,
    region: String,
    account: String,
    queues: BTreeMap<String, Entry>,
    /// Changes with every message, for those who wait for one.
    arrived: watch::Sender<()>,
}

/// A queue, and what the template says of it.
struct Entry {
    declared: template::Queue,
    queue: Mutex<Queue>,
}

impl Entry {
    fn new(declared: template::Queue) -> (String, Self) {
        (declared.name.clone(), Self { declared, queue: Mutex::default() })
    }
}

impl Sqs {
    /// `queues` are what the template declares, or names; ARNs and URLs follow from region, account and the gateway's address.
    pub fn new(clock: Clock, region: &str, account: &str, queues: Vec<impl Into<template::Queue>>) -> Self {
        let queues = queues.into_iter().map(|queue| Entry::new(queue.into())).collect();
        let (region, account) = (region.to_owned(), account.to_owned());
        Self(Arc::new(Inner { clock, region, account, queues, arrived: watch::Sender::new(()) }))
    }

    /// Puts a message on a queue, given by name, URL or ARN; false when there is no such queue.
    pub fn send(&self, queue: &str, body: String) -> bool {
        self.send_delayed(queue, body, None).is_some()
    }

    /// The id of the message that was sent; without a delay of its own it gets the queue's.
    pub(crate) fn send_delayed(&self, queue: &str, body: String, delay_s: Option<u32>) -> Option<String> {
        let delay_ms = i64::from(delay_s.unwrap_or(self.entry(queue)?.declared.delay_s)) * 1000;
        let now_ms = self.0.clock.now_ms();
        let id = self.with(queue, |queue| queue.send(body, now_ms, delay_ms));
        self.0.arrived.send_replace(());
        id
    }

    /// Takes messages and hides them, for as long as the queue says where the receiver does not.
    pub(crate) fn receive(&self, queue: &str, most: usize, hidden_s: Option<u32>) -> Option<Vec<Message>> {
        let hidden_ms = i64::from(hidden_s.unwrap_or(self.entry(queue)?.declared.visibility_s)) * 1000;
        let now_ms = self.0.clock.now_ms();
        self.with(queue, |queue| queue.receive(most, now_ms, hidden_ms))
    }

    /// Ends a message, by the receipt of its newest receive; false when there is no such queue.
    pub(crate) fn delete(&self, queue: &str, receipt: &str) -> bool {
        self.with(queue, |queue| queue.delete(receipt)).is_some()
    }

    /// When there is something to receive, as far as one can tell now: it may have been for long, or be never.
    pub(crate) fn next_visible_ms(&self, queue: &str) -> Option<i64> {
        self.with(queue, |queue| queue.next_visible_ms()).flatten()
    }

    /// Changes with every message that is sent to any queue.
    pub(crate) fn arrivals(&self) -> watch::Receiver<()> {
        self.0.arrived.subscribe()
    }

    /// What a receiver is told of a message, by the names of its system attributes.
    pub(crate) fn system_attributes(&self, message: &Message) -> [(&'static str, String); 4] {
        [
            ("SenderId", self.0.account.clone()),
            ("SentTimestamp", message.sent_ms.to_string()),
            ("ApproximateReceiveCount", message.receives.to_string()),
            ("ApproximateFirstReceiveTimestamp", message.first_received_ms.to_string()),
        ]
    }

    /// The bodies on a queue, oldest first, without receiving them.
    pub fn peek(&self, queue: &str) -> Vec<String> {
        self.with(queue, |queue| queue.bodies()).unwrap_or_default()
    }

    /// `AmazonSQS.*` with the JSON protocol: SendMessage, SendMessageBatch, ReceiveMessage, DeleteMessage, PurgeQueue, GetQueueUrl,
    /// GetQueueAttributes, ListQueues.
    pub fn router(&self) -> axum::Router {
        api::router(self.clone())
    }

    /// Every message of every queue.
    pub fn snapshot(&self) -> Value {
        let queues = self.0.queues.iter().map(|(name, entry)| {
            let queue = entry.queue.lock().unwrap_or_else(PoisonError::into_inner);
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

    fn entry(&self, queue: &str) -> Option<&Entry> {
        self.0.queues.get(name(queue))
    }

    /// Acts on a queue, which has forgotten by now what is older than it keeps.
    fn with<T>(&self, queue: &str, action: impl FnOnce(&mut Queue) -> T) -> Option<T> {
        let entry = self.entry(queue)?;
        let mut queue = entry.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.forget(self.0.clock.now_ms().saturating_sub(i64::from(entry.declared.retention_s) * 1000));
        Some(action(&mut queue))
    }
}

/// The name in a name, URL or ARN: what follows the last separator.
fn name(queue: &str) -> &str {
    queue.rsplit(['/', ':']).next().unwrap_or(queue)
}
