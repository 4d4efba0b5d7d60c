//! The broker's end of one open connection: what waits to be written, and how to close it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Notify, mpsc, oneshot};

use super::access::{Ask, Authorizer, Peer, may, may_publish};
use super::codec::{Outgoing, Version, Will};
use super::limits;
use super::message::Message;
use super::wire::Wire;

/// An open connection, as the rest of the broker sees it.
pub(super) struct Link {
    /// Tells one connection of a client from the next.
    pub(super) number: u64,
    pub(super) version: Version,
    pub(super) outbox: Outbox,
    pub(super) wire: Wire,
    /// Ends the connection's task; MQTT 5 clients are told the reason.
    pub(super) close: oneshot::Sender<u8>,
    /// QoS 1 messages that the client takes unacknowledged.
    pub(super) window: usize,
    pub(super) maximum_packet_bytes: usize,
    pub(super) will: Option<Will>,
    pub(super) peer: Peer,
    pub(super) authorizer: Option<Authorizer>,
    /// The versionNumber of this connection's lifecycle events.
    pub(super) version_number: u64,
}

impl Link {
    /// `iot:Receive`.
    pub(super) fn may_receive(&self, client_id: &str, topic: &str) -> bool {
        may(self.authorizer.as_ref(), &self.peer, &Ask { client_id, action: "iot:Receive", resource: topic })
    }

    /// `iot:Publish` and, if it is to be retained, `iot:RetainPublish`.
    pub(super) fn may_publish(&self, client_id: &str, message: &Message) -> bool {
        may_publish(self.authorizer.as_ref(), &self.peer, client_id, message)
    }
}

/// Packets for one client. Pushing never blocks; `is_slow` and `ready` tell when to hold back.
#[derive(Clone)]
pub(super) struct Outbox {
    packets: mpsc::UnboundedSender<Outgoing>,
    fill: Arc<Fill>,
}

/// The writer's side.
pub(super) struct Inbox {
    packets: mpsc::UnboundedReceiver<Outgoing>,
    fill: Arc<Fill>,
}

#[derive(Default)]
struct Fill {
    bytes: AtomicUsize,
    drained: Notify,
}

pub(super) fn outbox() -> (Outbox, Inbox) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let fill = Arc::new(Fill::default());
    (Outbox { packets: sender, fill: fill.clone() }, Inbox { packets: receiver, fill })
}

impl Outbox {
    pub(super) fn push(&self, packet: Outgoing) {
        self.fill.bytes.fetch_add(packet.size(), Ordering::Relaxed);
        // A connection that is going away drops its inbox; what it missed is redelivered if it was QoS 1.
        let _ = self.packets.send(packet);
    }

    fn bytes(&self) -> usize {
        self.fill.bytes.load(Ordering::Relaxed)
    }

    /// Whether the client is too slow for messages that may be dropped.
    pub(super) fn is_slow(&self) -> bool {
        self.bytes() > limits::OUTBOX_BYTES
    }

    /// Waits until the client has taken enough of its answers to ask for more.
    pub(super) async fn ready(&self) {
        while self.bytes() > limits::OUTBOX_FULL_BYTES {
            let drained = self.fill.drained.notified();
            if self.bytes() > limits::OUTBOX_FULL_BYTES {
                drained.await;
            }
        }
    }
}

impl Inbox {
    /// None once nobody can send any more and all is read.
    pub(super) async fn next(&mut self) -> Option<Outgoing> {
        self.packets.recv().await
    }

    /// What is there already.
    pub(super) fn try_next(&mut self) -> Option<Outgoing> {
        self.packets.try_recv().ok()
    }

    /// Says that packets of that size have been written.
    pub(super) fn written(&self, bytes: usize) {
        self.fill.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.fill.drained.notify_waiters();
    }
}
