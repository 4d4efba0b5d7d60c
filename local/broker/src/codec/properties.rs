//! The property section of MQTT 5 packets.

use bytes::{BufMut, Bytes, BytesMut};

use super::DecodeError;
use super::reader::Reader;
use crate::message::Properties;

/// Every property that a client may send, whatever the packet.
#[derive(Debug, Default)]
pub(super) struct Received {
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

impl Received {
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
                once(&mut self.payload_format, reader.u8()?)?;
                self.message.utf8 = flag(self.payload_format)?;
                Ok(())
            }
            0x02 => once(&mut self.message.message_expiry_s, reader.u32()?),
            0x03 => once(&mut self.message.content_type, reader.string()?),
            0x08 => once(&mut self.message.response_topic, reader.string()?),
            0x09 => once(&mut self.message.correlation_data, Bytes::copy_from_slice(reader.binary()?)),
            0x0B => once(&mut self.subscription_id, not_zero(reader.varint()?)?),
            0x11 => once(&mut self.session_expiry_s, reader.u32()?),
            0x15 => once(&mut self.authentication_method, reader.string()?),
            0x16 => reader.binary().and_then(|_| once(&mut self.authentication_data, ())),
            0x17 => once(&mut self.request_problem, reader.u8()?).and_then(|()| flag(self.request_problem).map(drop)),
            0x18 => once(&mut self.will_delay_s, reader.u32()?),
            0x19 => once(&mut self.request_response, reader.u8()?).and_then(|()| flag(self.request_response).map(drop)),
            0x1F => once(&mut self.reason, reader.string()?),
            0x21 => once(&mut self.receive_maximum, not_zero(reader.u16()?)?),
            0x22 => once(&mut self.topic_alias_maximum, reader.u16()?),
            0x23 => once(&mut self.topic_alias, reader.u16()?),
            0x26 => {
                self.message.user.push((reader.string()?, reader.string()?));
                Ok(())
            }
            0x27 => once(&mut self.maximum_packet_bytes, not_zero(reader.u32()?)?),
            _ => Err(DecodeError::Malformed("an unknown property")),
        }
    }
}

fn once<T>(slot: &mut Option<T>, value: T) -> Result<(), DecodeError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(DecodeError::Protocol("a property is given twice")),
    }
}

fn flag(value: Option<u8>) -> Result<bool, DecodeError> {
    match value {
        None | Some(0) => Ok(false),
        Some(1) => Ok(true),
        Some(_) => Err(DecodeError::Protocol("a flag property is neither 0 nor 1")),
    }
}

fn not_zero<T: Default + PartialEq>(value: T) -> Result<T, DecodeError> {
    if value == T::default() { Err(DecodeError::Protocol("a property that must not be 0 is 0")) } else { Ok(value) }
}

/// Writes the properties of a PUBLISH. `expiry_s` is what is left of the message's life.
pub(super) fn write_publish(out: &mut BytesMut, properties: &Properties, expiry_s: Option<u32>, ids: &[u32]) {
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
    for id in ids {
        out.put_u8(0x0B);
        write_varint(out, *id as usize);
    }
    for (name, value) in &properties.user {
        out.put_u8(0x26);
        write_binary(out, name.as_bytes());
        write_binary(out, value.as_bytes());
    }
}

/// Length and bytes. Nothing longer than MQTT can say becomes a message; were there such a thing, it would be left out,
/// for the packet to be one that its receiver can read.
pub(super) fn write_binary(out: &mut BytesMut, bytes: &[u8]) {
    let (length, bytes) = u16::try_from(bytes.len()).map_or((0, &[][..]), |length| (length, bytes));
    out.put_u16(length);
    out.put_slice(bytes);
}

/// A variable byte integer; the broker's own lengths are far below its 268 MB.
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
