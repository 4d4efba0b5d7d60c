//! The broker's side of one open connection: the queue of packets to write, and the signal that closes it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Notify, mpsc, oneshot};

use super::authorization::{AccessRequest, Authorizer, Peer, is_allowed, is_publish_allowed};
use super::codec::{Outgoing, Version, Will};
use super::limits;
use super::message::Message;
use super::transmission::Transmission;

/// An open connection.
pub(super) struct Link {
    /// Number of the connection, unique in the broker: identifies one of a client's successive connections.
    pub(super) number: u64,
    pub(super) version: Version,
    pub(super) outbox: Outbox,
    pub(super) transmission: Transmission,
    /// Is notified of each message that is sent again unless the client acknowledges it.
    pub(super) sent: Arc<Notify>,
    /// Ends the connection's task with an MQTT 5 reason code.
    pub(super) close: oneshot::Sender<u8>,
    /// QoS 1 messages that may be unacknowledged at a time (MQTT 5: receive maximum).
    pub(super) window: usize,
    /// Largest packet that the client accepts, in bytes.
    pub(super) maximum_packet_bytes: usize,
    pub(super) will: Option<Will>,
    pub(super) peer: Peer,
    pub(super) authorizer: Option<Authorizer>,
    /// `versionNumber` of this connection's lifecycle events.
    pub(super) version_number: u64,
}

impl Link {
    /// Checks `iot:Receive`.
    pub(super) fn is_receive_allowed(&self, client_id: &str, topic: &str) -> bool {
        is_allowed(self.authorizer.as_ref(), &self.peer, &AccessRequest::connected(client_id, "iot:Receive", topic))
    }

    /// Checks `iot:Publish` and, for a retained message, `iot:RetainPublish`.
    pub(super) fn is_publish_allowed(&self, client_id: &str, message: &Message) -> bool {
        is_publish_allowed(self.authorizer.as_ref(), &self.peer, client_id, message)
    }
}

/// Sending side of a client's packet queue. `push` never blocks; `is_slow` and `wait_until_drained` bound the size.
#[derive(Clone)]
pub(super) struct Outbox {
    packets: mpsc::UnboundedSender<Outgoing>,
    fill: Arc<OutboxFill>,
}

/// Receiving side of a client's packet queue.
pub(super) struct OutboxReader {
    packets: mpsc::UnboundedReceiver<Outgoing>,
    fill: Arc<OutboxFill>,
}

/// Size of the queue in bytes, and the notification that it shrank.
#[derive(Default)]
struct OutboxFill {
    bytes: AtomicUsize,
    drained: Notify,
}

pub(super) fn outbox_channel() -> (Outbox, OutboxReader) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let fill = Arc::new(OutboxFill::default());
    (Outbox { packets: sender, fill: fill.clone() }, OutboxReader { packets: receiver, fill })
}

impl Outbox {
    pub(super) fn push(&self, packet: Outgoing) {
        self.fill.bytes.fetch_add(packet.size(), Ordering::Relaxed);
        // Sending fails if the connection is closing; a lost QoS 1 message is redelivered on the next connection.
        let _ = self.packets.send(packet);
    }

    fn bytes(&self) -> usize {
        self.fill.bytes.load(Ordering::Relaxed)
    }

    /// Whether QoS 0 messages have to be dropped.
    pub(super) fn is_slow(&self) -> bool {
        self.bytes() > limits::SLOW_OUTBOX_BYTES
    }

    /// Waits until the queue is short enough to read further packets of the client.
    pub(super) async fn wait_until_drained(&self) {
        while self.bytes() > limits::FULL_OUTBOX_BYTES {
            let drained = self.fill.drained.notified();
            if self.bytes() > limits::FULL_OUTBOX_BYTES {
                drained.await;
            }
        }
    }
}

impl OutboxReader {
    /// The next packet; `None` once the queue is empty and the last sender is dropped.
    pub(super) async fn next(&mut self) -> Option<Outgoing> {
        self.packets.recv().await
    }

    /// The next packet if one is queued.
    pub(super) fn try_next(&mut self) -> Option<Outgoing> {
        self.packets.try_recv().ok()
    }

    /// Reduces the queue's size by packets that have been written.
    pub(super) fn record_written(&self, bytes: usize) {
        self.fill.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.fill.drained.notify_waiters();
    }
}
