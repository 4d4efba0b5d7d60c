//! One standard queue: messages in the order in which they become visible, hidden for a time after each receive.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use data_encoding::HEXLOWER;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The messages by their number, which is the order of their sends, and two indexes: a function may be sent ten thousands
/// of messages, and each send and receive finds its own at once.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(from = "Saved", into = "Saved")]
pub(super) struct Queue {
    messages: BTreeMap<u64, Message>,
    /// Time at which a message becomes visible, and its number.
    by_visible: BTreeSet<(i64, u64)>,
    /// Numbers of received messages by their newest receipt.
    by_receipt: HashMap<String, u64>,
    last_number: u64,
}

/// A queue as it is saved.
#[derive(Serialize, Deserialize)]
struct Saved {
    messages: Vec<Message>,
}

impl From<Saved> for Queue {
    fn from(saved: Saved) -> Self {
        let mut queue = Self::default();
        for message in saved.messages {
            queue.insert(message);
        }
        queue
    }
}

impl From<Queue> for Saved {
    fn from(queue: Queue) -> Self {
        Self { messages: queue.messages.into_values().collect() }
    }
}

/// A message on a queue.
#[derive(Clone, Serialize, Deserialize)]
pub struct Message {
    /// `MessageId`.
    pub id: String,
    /// The body.
    pub body: String,
    /// Time of the send, in milliseconds since 1970.
    pub sent_ms: i64,
    /// Number of receives.
    pub receives: u32,
    /// Time of the first receive, in milliseconds since 1970; 0 before it.
    pub first_received_ms: i64,
    /// `ReceiptHandle` of the newest receive. An older one deletes nothing, as on AWS after another receive.
    pub receipt: String,
    visible_ms: i64,
}

/// Number of messages by state.
pub(super) struct Counts {
    pub visible: usize,
    pub hidden: usize,
    pub delayed: usize,
}

impl Message {
    /// `MD5OfBody`, in lower-case hex.
    pub fn md5(&self) -> String {
        md5_of(&self.body)
    }
}

pub(super) fn md5_of(text: &str) -> String {
    HEXLOWER.encode(&Md5::digest(text))
}

impl Queue {
    fn insert(&mut self, message: Message) {
        self.last_number += 1;
        self.by_visible.insert((message.visible_ms, self.last_number));
        if message.receives > 0 {
            self.by_receipt.insert(message.receipt.clone(), self.last_number);
        }
        self.messages.insert(self.last_number, message);
    }

    fn remove(&mut self, number: u64) {
        if let Some(message) = self.messages.remove(&number) {
            self.by_visible.remove(&(message.visible_ms, number));
            self.by_receipt.remove(&message.receipt);
        }
    }

    pub fn send(&mut self, body: String, now_ms: i64, delay_ms: i64) -> String {
        let id = Uuid::new_v4().to_string();
        self.insert(Message {
            id: id.clone(),
            body,
            sent_ms: now_ms,
            receives: 0,
            first_received_ms: 0,
            receipt: String::new(),
            visible_ms: now_ms.saturating_add(delay_ms),
        });
        id
    }

    pub fn sent(&self) -> u64 {
        self.last_number
    }

    pub fn receive(&mut self, most: usize, now_ms: i64, hidden_ms: i64) -> Vec<Message> {
        let visible: Vec<_> = self.by_visible.range(..=(now_ms, u64::MAX)).take(most).copied().collect();
        let mut received = Vec::new();
        for (visible_ms, number) in visible {
            let Some(message) = self.messages.get_mut(&number) else { continue };
            self.by_visible.remove(&(visible_ms, number));
            self.by_receipt.remove(&message.receipt);
            message.receives += 1;
            if message.receives == 1 {
                message.first_received_ms = now_ms;
            }
            message.visible_ms = now_ms.saturating_add(hidden_ms);
            message.receipt = Uuid::new_v4().to_string();
            self.by_visible.insert((message.visible_ms, number));
            self.by_receipt.insert(message.receipt.clone(), number);
            received.push(message.clone());
        }
        received
    }

    /// Deletes a received message; an unknown receipt is no error.
    pub fn delete(&mut self, receipt: &str) {
        if let Some(number) = self.by_receipt.get(receipt).copied() {
            self.remove(number);
        }
    }

    /// Drops messages that were sent before this time, even hidden ones.
    pub fn drop_sent_before(&mut self, before_ms: i64) {
        while let Some((&number, _)) = self.messages.first_key_value().filter(|(_, sent)| sent.sent_ms < before_ms) {
            self.remove(number);
        }
    }

    pub fn next_visible_ms(&self) -> Option<i64> {
        self.by_visible.first().map(|(visible_ms, _)| *visible_ms)
    }

    pub fn purge(&mut self) {
        *self = Self { last_number: self.last_number, ..Self::default() };
    }

    pub fn bodies(&self) -> Vec<String> {
        self.messages.values().map(|message| message.body.clone()).collect()
    }

    pub fn counts(&self, now_ms: i64) -> Counts {
        let (visible, hidden): (Vec<_>, Vec<_>) = self.messages.values().partition(|m| m.visible_ms <= now_ms);
        let delayed = hidden.iter().filter(|message| message.receives == 0).count();
        Counts { visible: visible.len(), hidden: hidden.len() - delayed, delayed }
    }
}
