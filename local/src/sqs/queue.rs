//! One standard queue: messages in the order in which they become visible, hidden while somebody holds them.

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
pub(crate) struct Message {
    pub id: String,
    pub body: String,
    pub sent_ms: i64,
    pub receives: u32,
    pub first_received_ms: i64,
    /// Of the newest receive: an older one deletes nothing, as on a queue of AWS once the message was received again.
    pub receipt: String,
    visible_ms: i64,
}

/// How many messages there are.
pub(super) struct Counts {
    pub visible: usize,
    pub held: usize,
    pub delayed: usize,
}

impl Message {
    /// What receivers check the body by.
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

    /// Deleting what is gone already is no error.
    pub fn delete(&mut self, receipt: &str) {
        self.messages.retain(|message| message.receives == 0 || message.receipt != receipt);
    }

    /// Drops what was sent before this, whether or not somebody holds it.
    pub fn forget(&mut self, before_ms: i64) {
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
        Counts { visible: visible.len(), held: hidden.len() - delayed, delayed }
    }
}
