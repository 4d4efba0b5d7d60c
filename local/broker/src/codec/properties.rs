//! Decodes and encodes the property section of MQTT 5 packets.

use bytes::{BufMut, Bytes, BytesMut};

use super::DecodeError;
use super::reader::Reader;
use crate::message::Properties;

/// The properties that clients may send, of all packet types.
#[derive(Debug, Default)]
pub(super) struct PacketProperties {
    pub(super) message: Properties,
    pub(super) session_expiry_s: Option<u32>,
    pub(super) receive_maximum: Option<u16>,
    pub(super) maximum_packet_bytes: Option<u32>,
    pub(super) authentication_method: Option<String>,
    pub(super) subscription_id: Option<u32>,
    pub(super) topic_alias: Option<u16>,
    payload_format: Option<u8>,
    authentication_data: Option<()>,
    will_delay_s: Option<u32>,
    topic_alias_maximum: Option<u16>,
    request_problem: Option<u8>,
    request_response: Option<u8>,
    reason: Option<String>,
}

impl PacketProperties {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let length = reader.varint()? as usize;
        let mut reader = Reader::new(reader.take(length)?);
        let mut all = Self::default();
        while !reader.is_empty() {
            all.read_one(&mut reader)?;
        }
        Ok(all)
    }

    fn read_one(&mut self, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        match reader.varint()? {
            0x01 => {
                set_once(&mut self.payload_format, reader.u8()?)?;
                self.message.utf8 = parse_flag(self.payload_format)?;
                Ok(())
            }
            0x02 => set_once(&mut self.message.message_expiry_s, reader.u32()?),
            0x03 => set_once(&mut self.message.content_type, reader.string()?),
            0x08 => set_once(&mut self.message.response_topic, reader.string()?),
            0x09 => set_once(&mut self.message.correlation_data, Bytes::copy_from_slice(reader.binary()?)),
            0x0B => set_once(&mut self.subscription_id, require_nonzero(reader.varint()?)?),
            0x11 => set_once(&mut self.session_expiry_s, reader.u32()?),
            0x15 => set_once(&mut self.authentication_method, reader.string()?),
            0x16 => reader.binary().and_then(|_| set_once(&mut self.authentication_data, ())),
            0x17 => set_once(&mut self.request_problem, reader.u8()?)
                .and_then(|()| parse_flag(self.request_problem).map(drop)),
            0x18 => set_once(&mut self.will_delay_s, reader.u32()?),
            0x19 => set_once(&mut self.request_response, reader.u8()?)
                .and_then(|()| parse_flag(self.request_response).map(drop)),
            0x1F => set_once(&mut self.reason, reader.string()?),
            0x21 => set_once(&mut self.receive_maximum, require_nonzero(reader.u16()?)?),
            0x22 => set_once(&mut self.topic_alias_maximum, reader.u16()?),
            0x23 => set_once(&mut self.topic_alias, reader.u16()?),
            0x26 => {
                self.message.user.push((reader.string()?, reader.string()?));
                Ok(())
            }
            0x27 => set_once(&mut self.maximum_packet_bytes, require_nonzero(reader.u32()?)?),
            _ => Err(DecodeError::Malformed("an unknown property")),
        }
    }
}

fn set_once<T>(slot: &mut Option<T>, value: T) -> Result<(), DecodeError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(DecodeError::Protocol("a property occurs twice")),
    }
}

fn parse_flag(value: Option<u8>) -> Result<bool, DecodeError> {
    match value {
        None | Some(0) => Ok(false),
        Some(1) => Ok(true),
        Some(_) => Err(DecodeError::Protocol("a flag property is neither 0 nor 1")),
    }
}

fn require_nonzero<T: Default + PartialEq>(value: T) -> Result<T, DecodeError> {
    if value == T::default() { Err(DecodeError::Protocol("a property that must not be 0 is 0")) } else { Ok(value) }
}

/// Writes the properties of a PUBLISH. `expiry_s`: remaining message expiry in seconds.
pub(super) fn write_publish_properties(out: &mut BytesMut, properties: &Properties, expiry_s: Option<u32>) {
    if properties.utf8 {
        out.put_slice(&[0x01, 1]);
    }
    if let Some(seconds) = expiry_s {
        out.put_u8(0x02);
        out.put_u32(seconds);
    }
    if let Some(text) = &properties.content_type {
        out.put_u8(0x03);
        write_binary(out, text.as_bytes());
    }
    if let Some(text) = &properties.response_topic {
        out.put_u8(0x08);
        write_binary(out, text.as_bytes());
    }
    if let Some(data) = &properties.correlation_data {
        out.put_u8(0x09);
        write_binary(out, data);
    }
    for (name, value) in &properties.user {
        out.put_u8(0x26);
        write_binary(out, name.as_bytes());
        write_binary(out, value.as_bytes());
    }
}

/// Writes length and bytes. Published messages have no field longer than 65535 bytes; a longer one is written as empty,
/// so that the packet stays decodable.
pub(super) fn write_binary(out: &mut BytesMut, bytes: &[u8]) {
    let (length, bytes) = u16::try_from(bytes.len()).map_or((0, &[][..]), |length| (length, bytes));
    out.put_u16(length);
    out.put_slice(bytes);
}

/// Writes a variable byte integer; packet lengths are far below its maximum of 268435455.
pub(super) fn write_varint(out: &mut BytesMut, mut value: usize) {
    loop {
        let byte = u8::try_from(value & 0x7F).unwrap_or_default();
        value >>= 7;
        if value == 0 {
            return out.put_u8(byte);
        }
        out.put_u8(byte | 0x80);
    }
}
