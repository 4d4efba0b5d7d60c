//! What a link reports to its owner.

use std::time::Duration;

use rumqttc::Publish;

use super::disconnect::Disconnect;

/// Something that happened on a link.
#[derive(Debug)]
pub enum Event {
    /// The broker accepted the connection. Missing subscriptions are being made.
    Connected {
        /// The broker has no session of this client: publishes that it had not acknowledged may be lost.
        session_lost: bool,
    },
    /// All subscriptions are in place, made now or kept by the session. Once for each connection.
    Subscribed,
    /// A message arrived.
    Message {
        /// The topic that it was published to.
        topic: String,
        /// The message's content.
        payload: bytes::Bytes,
        /// For `Link::acknowledge`. Without it, the broker sends the message again
        /// on the next connection.
        receipt: Receipt,
    },
    /// The broker acknowledged the oldest publish that it had not acknowledged.
    PublishAcknowledged,
    /// The connection was lost, or could not be made.
    Disconnected {
        /// The reason.
        error: Disconnect,
        /// Time until the link connects again.
        retry_in: Duration,
    },
}

/// Identifies a received message, to acknowledge it.
#[derive(Debug)]
#[must_use = "the broker sends a message again that is not acknowledged"]
pub struct Receipt {
    /// Carries the packet id and QoS only: an acknowledgement needs no more.
    pub(super) publish: Publish,
    /// The number of connections that were lost before the message arrived. Packet ids are reused by later connections.
    pub(super) epoch: u64,
}
