//! A client's session: its subscriptions, its queue, and the QoS 1 messages without a PUBACK.

mod resending;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tokio::sync::oneshot;
use tracing::{debug, warn};

use super::codec::Delivery;
use super::limits;
use super::link::Link;
use super::message::Message;

/// The state of a session; a persistent session outlives its connection.
#[derive(Default)]
pub(super) struct Session {
    pub(super) id: String,
    /// Granted QoS by topic filter.
    pub(super) subscriptions: BTreeMap<String, u8>,
    /// QoS 1 messages that have not been sent, oldest first.
    waiting: VecDeque<MessageCopy>,
    /// Deliveries without PUBACK, oldest first.
    in_flight: VecDeque<InFlight>,
    last_packet_id: u16,
}

/// A delivery on the open connection without PUBACK. Times are in milliseconds since 1970.
struct InFlight {
    packet_id: u16,
    copy: MessageCopy,
    first_sent_ms: i64,
    sent_ms: i64,
}

/// One copy of a message, for one client.
pub(super) struct MessageCopy {
    pub(super) message: Arc<Message>,
    /// In milliseconds since 1970.
    pub(super) expires_at_ms: Option<i64>,
    pub(super) retain: bool,
    /// Direct messages are dropped when the connection ends, or at QoS 1 when the sender stops waiting for the PUBACK.
    pub(super) direct: bool,
    /// Notifies the sender of a direct message of the PUBACK.
    pub(super) confirm: Option<oneshot::Sender<()>>,
    /// Packet identifier of an earlier delivery.
    pub(super) sent_as: Option<u16>,
    /// Injected fault: the PUBACK is ignored.
    puback_lost: bool,
}

impl MessageCopy {
    pub(super) fn new(message: Arc<Message>, at_ms: i64) -> Self {
        let expires_at_ms = message.expires_at_ms(at_ms);
        Self { message, expires_at_ms, retain: false, direct: false, confirm: None, sent_as: None, puback_lost: false }
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
        }
    }

    /// Sends the message at QoS 1.
    fn send(&mut self, client_id: &str, packet_id: u16, link: &Link, now_ms: i64) {
        let delivery = self.delivery(Some(packet_id), now_ms);
        self.puback_lost = !link.transmission.send(client_id, delivery, self.direct, &link.outbox);
        if self.puback_lost {
            // Fails the direct message at once: its PUBACK never arrives.
            self.confirm = None;
        }
    }

    /// Whether the message may be sent over this link; logs the reason if not.
    fn is_deliverable(&self, client_id: &str, link: &Link, now_ms: i64) -> bool {
        let reason = if self.expires_at_ms.is_some_and(|end| end <= now_ms) {
            "the message has expired"
        } else if self.confirm.as_ref().is_some_and(oneshot::Sender::is_closed) {
            "the sender no longer waits for the PUBACK"
        } else if !link.is_receive_allowed(client_id, &self.message.topic) {
            "iot:Receive is not allowed"
        } else if self.delivery(None, now_ms).size() > link.maximum_packet_bytes {
            "the message exceeds the client's maximum packet size"
        } else {
            return true;
        };
        debug!(client_id, topic = self.message.topic, reason, "message not delivered");
        false
    }
}

impl Session {
    pub(super) fn new() -> Self {
        Self { id: uuid::Uuid::new_v4().to_string(), ..Self::default() }
    }

    /// Sends a QoS 0 message, or drops it if the client is slow.
    pub(super) fn send_at_most_once(client_id: &str, copy: &MessageCopy, link: &Link, now_ms: i64) {
        if link.outbox.is_slow() {
            warn!(client_id, topic = copy.message.topic, "QoS 0 message dropped: the client reads too slowly");
        } else if copy.is_deliverable(client_id, link, now_ms) {
            link.transmission.send(client_id, copy.delivery(None, now_ms), copy.direct, &link.outbox);
        }
    }

    /// Queues a QoS 1 message, and sends it as soon as the window of an open link allows. A full queue drops it.
    pub(super) fn send_at_least_once(&mut self, client_id: &str, copy: MessageCopy, link: Option<&Link>, now_ms: i64) {
        if self.waiting.len() >= limits::MAX_QUEUED_MESSAGES {
            warn!(client_id, topic = copy.message.topic, "QoS 1 message dropped: the session's queue is full");
            return;
        }
        self.waiting.push_back(copy);
        if let Some(link) = link {
            self.send_waiting(client_id, link, now_ms);
        }
    }

    /// Sends waiting messages up to the client's window.
    pub(super) fn send_waiting(&mut self, client_id: &str, link: &Link, now_ms: i64) {
        while self.in_flight.len() < link.window {
            let Some(mut copy) = self.waiting.pop_front() else { return };
            if copy.is_deliverable(client_id, link, now_ms) {
                let packet_id = copy.sent_as.unwrap_or_else(|| self.free_packet_id());
                copy.send(client_id, packet_id, link, now_ms);
                let sent = InFlight { packet_id, copy, first_sent_ms: now_ms, sent_ms: now_ms };
                if sent.is_resent() {
                    link.sent.notify_one();
                }
                self.in_flight.push_back(sent);
            }
        }
    }

    /// Number of QoS 1 messages without PUBACK, waiting ones included. Excludes those whose PUBACK a fault loses.
    pub(super) fn unacknowledged(&self) -> usize {
        self.waiting.len() + self.in_flight.iter().filter(|sent| !sent.copy.puback_lost).count()
    }

    fn free_packet_id(&mut self) -> u16 {
        // Redelivered messages precede new ones, so every identifier in use is in flight: at most 100.
        loop {
            self.last_packet_id = self.last_packet_id.checked_add(1).unwrap_or(1);
            if self.in_flight.iter().all(|sent| sent.packet_id != self.last_packet_id) {
                return self.last_packet_id;
            }
        }
    }

    /// Handles a PUBACK. False when no message is in flight under that identifier, or the PUBACK is lost by a fault.
    pub(super) fn handle_puback(&mut self, packet_id: u16) -> bool {
        let Some(position) = self.in_flight.iter().position(|sent| sent.packet_id == packet_id) else { return false };
        if self.in_flight.get(position).is_some_and(|sent| sent.copy.puback_lost && !sent.copy.direct) {
            return false;
        }
        if let Some(confirm) = self.in_flight.remove(position).and_then(|sent| sent.copy.confirm) {
            // Sending fails if the sender has just timed out.
            let _ = confirm.send(());
        }
        true
    }

    /// The messages that the next connection is sent, the oldest first, each with the packet identifier of its delivery
    /// if it has been sent. Direct messages end with the connection.
    pub(super) fn unacknowledged_copies(&self) -> impl Iterator<Item = (Option<u16>, &MessageCopy)> {
        let in_flight = self.in_flight.iter().map(|sent| (Some(sent.packet_id), &sent.copy));
        let waiting = self.waiting.iter().map(|copy| (copy.sent_as, copy));
        in_flight.chain(waiting).filter(|(_, copy)| !copy.direct)
    }

    /// Queues a message of the saved state.
    pub(super) fn restore(&mut self, copy: MessageCopy) {
        self.waiting.push_back(copy);
    }

    /// Prepares the session for the next connection: messages without PUBACK become first in the queue, direct messages
    /// are dropped.
    pub(super) fn suspend(&mut self) {
        for InFlight { packet_id, mut copy, .. } in std::mem::take(&mut self.in_flight).into_iter().rev() {
            copy.sent_as = Some(packet_id);
            self.waiting.push_front(copy);
        }
        self.waiting.retain(|copy| !copy.direct);
    }
}
