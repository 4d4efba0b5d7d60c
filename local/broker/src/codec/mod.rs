//! Decoding and encoding of MQTT 3.1.1 and MQTT 5 packets, for a server without QoS 2.

mod connect;
mod decode;
mod encode;
mod frame;
mod properties;
mod reader;
pub(super) mod reason;

pub(super) use connect::{Connect, Will};
pub(super) use decode::{FilterRequest, Incoming, Publish, Subscribe, Unsubscribe, decode};
pub(super) use encode::{ConnAck, Delivery, Outgoing, encode};
pub(super) use frame::{Frame, next_frame};

/// Protocol version of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V311,
    V5,
}

/// Why a packet cannot be decoded.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum DecodeError {
    #[error("malformed packet: {0}")]
    Malformed(&'static str),
    #[error("protocol error: {0}")]
    Protocol(&'static str),
    #[error("packet of {0} bytes exceeds the maximum packet size")]
    TooLarge(usize),
    #[error("protocol level {0} is not supported")]
    Version(u8),
    #[error("subscription identifiers are not supported")]
    SubscriptionId,
}

impl DecodeError {
    /// The reason code of the MQTT 5 DISCONNECT.
    pub(super) fn reason(&self) -> u8 {
        match self {
            Self::Malformed(_) => reason::MALFORMED_PACKET,
            Self::Protocol(_) => reason::PROTOCOL_ERROR,
            Self::TooLarge(_) => reason::PACKET_TOO_LARGE,
            Self::Version(_) => reason::UNSUPPORTED_PROTOCOL_VERSION,
            Self::SubscriptionId => reason::SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED,
        }
    }
}
