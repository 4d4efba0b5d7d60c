//! A client's session: its subscriptions, and the QoS 1 messages that it has not acknowledged.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tokio::sync::oneshot;
use tracing::{debug, warn};

use super::codec::Delivery;
use super::limits;
use super::link::Link;
use super::message::Message;

/// What outlives a connection of a persistent session.
#[derive(Default)]
pub(super) struct Session {
    pub(super) id: String,
    /// Filter to granted QoS.
    pub(super) subscriptions: BTreeMap<String, u8>,
    waiting: VecDeque<Copy>,
    /// Sent and not acknowledged, oldest first; each has its packet identifier.
    in_flight: VecDeque<(u16, Copy)>,
    last_packet_id: u16,
}

/// One message for this client.
pub(super) struct Copy {
    pub(super) message: Arc<Message>,
    pub(super) expires_at_ms: Option<i64>,
    pub(super) retain: bool,
    pub(super) subscription_ids: Vec<u32>,
    /// It dies with the connection, or at QoS 1 when nobody waits for its PUBACK any more.
    pub(super) direct: bool,
    /// Who waits for the PUBACK of a direct message.
    pub(super) confirm: Option<oneshot::Sender<()>>,
    /// The identifier it was sent under before the connection broke.
    sent_as: Option<u16>,
    /// Its PUBACK gets lost, as a fault.
    puback_lost: bool,
}

impl Copy {
    pub(super) fn new(message: Arc<Message>, at_ms: i64) -> Self {
        let expires_at_ms = message.expires_at_ms(at_ms);
        Self {
            message,
            expires_at_ms,
            retain: false,
            subscription_ids: Vec::new(),
            direct: false,
            confirm: None,
            sent_as: None,
            puback_lost: false,
        }
    }

    fn delivery(&self, packet_id: Option<u16>, now_ms: i64) -> Delivery {
        let left =
            self.expires_at_ms.map(|end| (end - now_ms).div_euclid(1_000) + i64::from((end - now_ms) % 1_000 > 0));
        Delivery {
            message: self.message.clone(),
            packet_id,
            duplicate: self.sent_as.is_some(),
            retain: self.retain,
            expiry_s: left.map(|seconds| u32::try_from(seconds).unwrap_or(0)),
            subscription_ids: self.subscription_ids.clone(),
        }
    }

    /// Whether it may still be sent over this link.
    fn wanted(&self, client_id: &str, link: &Link, now_ms: i64) -> bool {
        let why_not = if self.expires_at_ms.is_some_and(|end| end <= now_ms) {
            "it has expired"
        } else if self.confirm.as_ref().is_some_and(oneshot::Sender::is_closed) {
            "nobody waits for its acknowledgement any more"
        } else if !link.may_receive(client_id, &self.message.topic) {
            "the client may not receive it"
        } else if self.delivery(None, now_ms).size() > link.maximum_packet_bytes {
            "it is larger than the client takes"
        } else {
            return true;
        };
        debug!(client_id, topic = self.message.topic, why_not, "message not delivered");
        false
    }
}

impl Session {
    pub(super) fn new() -> Self {
        Self { id: uuid::Uuid::new_v4().to_string(), ..Self::default() }
    }

    /// QoS 0: sent now or never.
    pub(super) fn send_at_most_once(client_id: &str, copy: &Copy, link: &Link, now_ms: i64) {
        if link.outbox.is_slow() {
            warn!(client_id, topic = copy.message.topic, "a slow client: QoS 0 message dropped");
        } else if copy.wanted(client_id, link, now_ms) {
            link.wire.send(client_id, copy.delivery(None, now_ms), copy.direct, &link.outbox);
        }
    }

    /// QoS 1: queued, and sent as soon as a link has room for it.
    pub(super) fn send_at_least_once(&mut self, client_id: &str, copy: Copy, link: Option<&Link>, now_ms: i64) {
        if self.waiting.len() >= limits::QUEUED_MESSAGES {
            warn!(client_id, topic = copy.message.topic, "the session's queue is full: QoS 1 message dropped");
            return;
        }
        self.waiting.push_back(copy);
        if let Some(link) = link {
            self.pump(client_id, link, now_ms);
        }
    }

    /// Sends what waits, as far as the client's window allows.
    pub(super) fn pump(&mut self, client_id: &str, link: &Link, now_ms: i64) {
        while self.in_flight.len() < link.window {
            let Some(mut copy) = self.waiting.pop_front() else { return };
            if copy.wanted(client_id, link, now_ms) {
                let packet_id = copy.sent_as.unwrap_or_else(|| self.free_packet_id());
                let delivery = copy.delivery(Some(packet_id), now_ms);
                copy.puback_lost = !link.wire.send(client_id, delivery, copy.direct, &link.outbox);
                if copy.puback_lost {
                    // Who waits for the PUBACK of a direct message waits for nothing.
                    copy.confirm = None;
                }
                self.in_flight.push_back((packet_id, copy));
            }
        }
    }

    fn free_packet_id(&mut self) -> u16 {
        // What is sent again comes before anything new, so the identifiers in use are all in flight: at most 100.
        loop {
            self.last_packet_id = self.last_packet_id.checked_add(1).unwrap_or(1);
            if self.in_flight.iter().all(|(id, _)| *id != self.last_packet_id) {
                return self.last_packet_id;
            }
        }
    }

    /// A PUBACK. False when nothing was sent under that identifier.
    pub(super) fn acknowledged(&mut self, packet_id: u16) -> bool {
        let Some(position) = self.in_flight.iter().position(|(id, _)| *id == packet_id) else { return false };
        if self.in_flight.get(position).is_some_and(|(_, copy)| copy.puback_lost && !copy.direct) {
            return false;
        }
        if let Some((_, Copy { confirm: Some(confirm), .. })) = self.in_flight.remove(position) {
            // The sender may have given up in this moment.
            let _ = confirm.send(());
        }
        true
    }

    /// The connection is gone: what was not acknowledged is sent again first, direct messages are not.
    pub(super) fn suspend(&mut self) {
        for (packet_id, mut copy) in std::mem::take(&mut self.in_flight).into_iter().rev() {
            copy.sent_as = Some(packet_id);
            self.waiting.push_front(copy);
        }
        self.waiting.retain(|copy| !copy.direct);
    }
}
