//! Encodes the packets that the broker sends.

use std::sync::Arc;

use bytes::{BufMut, BytesMut};

use super::properties::{write_binary, write_publish_properties, write_varint};
use super::{Version, reason};
use crate::limits;
use crate::message::Message;

/// A packet for a client.
#[derive(Debug)]
pub(crate) enum Outgoing {
    ConnAck(Box<ConnAck>),
    Publish(Delivery),
    PubAck { packet_id: u16, reason: u8 },
    SubAck { packet_id: u16, reasons: Vec<u8> },
    UnsubAck { packet_id: u16, reasons: Vec<u8> },
    PingResp,
    Disconnect(u8),
}

/// The answer to CONNECT. Fields after `reason` are for MQTT 5 only.
#[derive(Debug, Default)]
pub(crate) struct ConnAck {
    pub(crate) session_present: bool,
    pub(crate) reason: u8,
    pub(crate) session_expiry_s: u32,
    pub(crate) assigned_client_id: Option<String>,
    pub(crate) server_keep_alive_s: Option<u16>,
}

/// A PUBLISH packet for one client.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) message: Arc<Message>,
    /// `None` at QoS 0.
    pub(crate) packet_id: Option<u16>,
    pub(crate) duplicate: bool,
    pub(crate) retain: bool,
    /// Remaining message expiry in seconds.
    pub(crate) expiry_s: Option<u32>,
}

impl Delivery {
    /// Upper bound of the encoded packet's bytes.
    pub(crate) fn size(&self) -> usize {
        // Fixed header 5, packet identifier 2, properties length 4, expiry 5, flags 2.
        self.message.size() + self.message.topic.len() + 20
    }
}

impl Outgoing {
    /// Approximate bytes of the packet in the outbox.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Publish(delivery) => delivery.size(),
            // Other packets are small: their size in memory counts.
            _ => size_of::<Self>(),
        }
    }
}

/// Appends a packet. MQTT 3.1.1 has no DISCONNECT from the server: then nothing is appended.
pub(crate) fn encode(packet: &Outgoing, version: Version, out: &mut BytesMut) {
    match packet {
        Outgoing::ConnAck(ack) => write_connack(ack, version, out),
        Outgoing::Publish(delivery) => write_publish(delivery, version, out),
        Outgoing::PubAck { packet_id, reason } => {
            let with_reason = version == Version::V5 && *reason != reason::SUCCESS;
            out.put_slice(&[0x40, if with_reason { 3 } else { 2 }]);
            out.put_u16(*packet_id);
            if with_reason {
                out.put_u8(*reason);
            }
        }
        Outgoing::SubAck { packet_id, reasons } => write_acks(0x90, *packet_id, reasons, version, out),
        Outgoing::UnsubAck { packet_id, reasons } => {
            write_acks(0xB0, *packet_id, if version == Version::V5 { reasons } else { &[] }, version, out);
        }
        Outgoing::PingResp => out.put_slice(&[0xD0, 0]),
        Outgoing::Disconnect(reason) if version == Version::V5 => out.put_slice(&[0xE0, 1, *reason]),
        Outgoing::Disconnect(_) => {}
    }
}

fn write_connack(ack: &ConnAck, version: Version, out: &mut BytesMut) {
    let mut properties = BytesMut::new();
    if version == Version::V5 && ack.reason == reason::SUCCESS {
        properties.put_u8(0x11);
        properties.put_u32(ack.session_expiry_s);
        properties.put_u8(0x21);
        properties.put_u16(limits::MAX_IN_FLIGHT);
        properties.put_u8(0x22);
        properties.put_u16(limits::MAX_TOPIC_ALIASES);
        // Maximum QoS 1, no subscription identifiers. Retained messages, wildcards and sharing are the defaults.
        properties.put_slice(&[0x24, 1, 0x29, 0]);
        properties.put_u8(0x27);
        properties.put_u32(u32::try_from(limits::MAX_PACKET_BYTES).unwrap_or(u32::MAX));
        if let Some(id) = &ack.assigned_client_id {
            properties.put_u8(0x12);
            write_binary(&mut properties, id.as_bytes());
        }
        if let Some(seconds) = ack.server_keep_alive_s {
            properties.put_u8(0x13);
            properties.put_u16(seconds);
        }
    }
    let mut body = BytesMut::new();
    body.put_slice(&[u8::from(ack.session_present), ack.reason]);
    if version == Version::V5 {
        write_varint(&mut body, properties.len());
        body.unsplit(properties);
    }
    out.put_u8(0x20);
    write_varint(out, body.len());
    out.put_slice(&body);
}

fn write_publish(delivery: &Delivery, version: Version, out: &mut BytesMut) {
    let Delivery { message, packet_id, duplicate, retain, expiry_s } = delivery;
    let mut properties = BytesMut::new();
    let mut properties_length = BytesMut::new();
    if version == Version::V5 {
        write_publish_properties(&mut properties, &message.properties, *expiry_s);
        write_varint(&mut properties_length, properties.len());
    }
    let id_length = if packet_id.is_some() { 2 } else { 0 };
    let length =
        2 + message.topic.len() + id_length + properties_length.len() + properties.len() + message.payload.len();
    out.reserve(5 + length);
    out.put_u8(0x30 | u8::from(*duplicate) << 3 | u8::from(packet_id.is_some()) << 1 | u8::from(*retain));
    write_varint(out, length);
    write_binary(out, message.topic.as_bytes());
    if let Some(id) = packet_id {
        out.put_u16(*id);
    }
    out.put_slice(&properties_length);
    out.put_slice(&properties);
    out.put_slice(&message.payload);
}

fn write_acks(first: u8, packet_id: u16, reasons: &[u8], version: Version, out: &mut BytesMut) {
    let properties = usize::from(version == Version::V5);
    out.put_u8(first);
    write_varint(out, 2 + properties + reasons.len());
    out.put_u16(packet_id);
    if version == Version::V5 {
        out.put_u8(0);
    }
    out.put_slice(reasons);
}
