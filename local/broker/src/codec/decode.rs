//! Decodes the packets that clients send.

use bytes::Bytes;

use super::properties::PacketProperties;
use super::reader::Reader;
use super::{Connect, DecodeError, Version, reason};
use crate::message::Message;

/// A packet from a client.
#[derive(Debug)]
pub(crate) enum Incoming {
    Connect(Box<Connect>),
    Publish(Publish),
    PubAck(u16),
    Subscribe(Subscribe),
    Unsubscribe(Unsubscribe),
    PingReq,
    Disconnect { reason: u8, session_expiry_s: Option<u32> },
}

#[derive(Debug)]
pub(crate) struct Publish {
    /// Its topic is empty where the packet has only an alias.
    pub(crate) message: Message,
    /// `None` at QoS 0.
    pub(crate) packet_id: Option<u16>,
    pub(crate) topic_alias: Option<u16>,
}

#[derive(Debug)]
pub(crate) struct Subscribe {
    pub(crate) packet_id: u16,
    pub(crate) filters: Vec<FilterRequest>,
}

#[derive(Debug)]
pub(crate) struct FilterRequest {
    pub(crate) filter: String,
    pub(crate) qos: u8,
    pub(crate) no_local: bool,
    pub(crate) retain_as_published: bool,
    /// Send retained messages 0: always, 1: for a new subscription only, 2: never.
    pub(crate) retain_handling: u8,
}

#[derive(Debug)]
pub(crate) struct Unsubscribe {
    pub(crate) packet_id: u16,
    pub(crate) filters: Vec<String>,
}

/// Decodes a packet of `version`; a CONNECT packet contains its own version.
pub(crate) fn decode(first: u8, body: &[u8], version: Version) -> Result<Incoming, DecodeError> {
    let reader = Reader::new(body);
    match (first >> 4, first & 0x0F) {
        (1, 0) => Ok(Incoming::Connect(Box::new(Connect::read(body)?))),
        (3, flags) => decode_publish(reader, flags, version),
        (4, 0) => decode_puback(reader, version),
        (8, 2) => decode_subscribe(reader, version),
        (10, 2) => decode_unsubscribe(reader, version),
        (12, 0) if body.is_empty() => Ok(Incoming::PingReq),
        (14, 0) => decode_disconnect(reader, version),
        (5..=7, _) => Err(DecodeError::Protocol("QoS 2 is not supported")),
        _ => Err(DecodeError::Malformed("not a packet that a client may send")),
    }
}

fn read_properties(reader: &mut Reader<'_>, version: Version) -> Result<PacketProperties, DecodeError> {
    match version {
        Version::V311 => Ok(PacketProperties::default()),
        Version::V5 => PacketProperties::read(reader),
    }
}

fn decode_publish(mut reader: Reader<'_>, flags: u8, version: Version) -> Result<Incoming, DecodeError> {
    let qos = flags >> 1 & 3;
    if qos == 3 {
        return Err(DecodeError::Malformed("a publish with QoS 3"));
    }
    let topic = reader.string()?;
    let packet_id = if qos == 0 { None } else { Some(reader.packet_id()?) };
    let properties = read_properties(&mut reader, version)?;
    if properties.subscription_id.is_some() {
        return Err(DecodeError::Protocol("a client's publish with a subscription identifier"));
    }
    let payload = Bytes::copy_from_slice(reader.rest());
    let message = Message { topic, payload, qos, retain: flags & 1 != 0, properties: properties.message };
    Ok(Incoming::Publish(Publish { message, packet_id, topic_alias: properties.topic_alias }))
}

fn decode_puback(mut reader: Reader<'_>, version: Version) -> Result<Incoming, DecodeError> {
    let id = reader.packet_id()?;
    if version == Version::V311 && !reader.is_empty() {
        return Err(DecodeError::Malformed("bytes after the end of PUBACK"));
    }
    // The reason code is ignored: with any code the message is acknowledged and not redelivered.
    Ok(Incoming::PubAck(id))
}

fn decode_subscribe(mut reader: Reader<'_>, version: Version) -> Result<Incoming, DecodeError> {
    let packet_id = reader.packet_id()?;
    if read_properties(&mut reader, version)?.subscription_id.is_some() {
        return Err(DecodeError::SubscriptionId);
    }
    let mut filters = Vec::new();
    while !reader.is_empty() {
        let filter = reader.string()?;
        let options = reader.u8()?;
        let allowed = if version == Version::V5 { 0b0011_1111 } else { 0b0000_0011 };
        let (qos, retain_handling) = (options & 3, options >> 4 & 3);
        if options & !allowed != 0 || qos == 3 || retain_handling == 3 {
            return Err(DecodeError::Malformed("unknown subscription options"));
        }
        let no_local = options & 4 != 0;
        if no_local && filter.starts_with("$share/") {
            return Err(DecodeError::Protocol("a shared subscription cannot be no-local"));
        }
        filters.push(FilterRequest { filter, qos, no_local, retain_as_published: options & 8 != 0, retain_handling });
    }
    if filters.is_empty() {
        return Err(DecodeError::Protocol("SUBSCRIBE without a topic filter"));
    }
    Ok(Incoming::Subscribe(Subscribe { packet_id, filters }))
}

fn decode_unsubscribe(mut reader: Reader<'_>, version: Version) -> Result<Incoming, DecodeError> {
    let packet_id = reader.packet_id()?;
    read_properties(&mut reader, version)?;
    let mut filters = Vec::new();
    while !reader.is_empty() {
        filters.push(reader.string()?);
    }
    if filters.is_empty() {
        return Err(DecodeError::Protocol("UNSUBSCRIBE without a topic filter"));
    }
    Ok(Incoming::Unsubscribe(Unsubscribe { packet_id, filters }))
}

fn decode_disconnect(mut reader: Reader<'_>, version: Version) -> Result<Incoming, DecodeError> {
    // Reason code and properties are optional (MQTT 5, 3.14.2.1).
    let mut packet = (reason::SUCCESS, None);
    if version == Version::V5 && !reader.is_empty() {
        packet.0 = reader.u8()?;
        if !reader.is_empty() {
            packet.1 = PacketProperties::read(&mut reader)?.session_expiry_s;
        }
    }
    Ok(Incoming::Disconnect { reason: packet.0, session_expiry_s: packet.1 })
}
