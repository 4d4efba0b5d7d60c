//! One standard queue: messages in the order in which they become visible, hidden for a time after each receive.

use std::collections::VecDeque;

use data_encoding::HEXLOWER;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Default, Serialize, Deserialize)]
pub(super) struct Queue {
    messages: VecDeque<Message>,
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
    pub fn send(&mut self, body: String, now_ms: i64, delay_ms: i64) -> String {
        let id = Uuid::new_v4().to_string();
        self.messages.push_back(Message {
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

    pub fn receive(&mut self, most: usize, now_ms: i64, hidden_ms: i64) -> Vec<Message> {
        let mut visible: Vec<_> = self.messages.iter_mut().filter(|message| message.visible_ms <= now_ms).collect();
        visible.sort_by_key(|message| message.visible_ms);
        visible
            .into_iter()
            .take(most)
            .map(|message| {
                message.receives += 1;
                if message.receives == 1 {
                    message.first_received_ms = now_ms;
                }
                message.visible_ms = now_ms.saturating_add(hidden_ms);
                message.receipt = Uuid::new_v4().to_string();
                message.clone()
            })
            .collect()
    }

    /// Deletes a received message; an unknown receipt is no error.
    pub fn delete(&mut self, receipt: &str) {
        self.messages.retain(|message| message.receives == 0 || message.receipt != receipt);
    }

    /// Drops messages that were sent before this time, even hidden ones.
    pub fn drop_sent_before(&mut self, before_ms: i64) {
        self.messages.retain(|message| message.sent_ms >= before_ms);
    }

    pub fn next_visible_ms(&self) -> Option<i64> {
        self.messages.iter().map(|message| message.visible_ms).min()
    }

    pub fn purge(&mut self) {
        self.messages.clear();
    }

    pub fn bodies(&self) -> Vec<String> {
        self.messages.iter().map(|message| message.body.clone()).collect()
    }

    pub fn counts(&self, now_ms: i64) -> Counts {
        let (visible, hidden): (Vec<_>, Vec<_>) = self.messages.iter().partition(|m| m.visible_ms <= now_ms);
        let delayed = hidden.iter().filter(|message| message.receives == 0).count();
        Counts { visible: visible.len(), hidden: hidden.len() - delayed, delayed }
    }
}
