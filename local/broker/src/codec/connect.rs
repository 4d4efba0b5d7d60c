//! Decodes the CONNECT packet and its last will.

use bytes::Bytes;

use super::properties::PacketProperties;
use super::reader::Reader;
use super::{DecodeError, Version};
use crate::message::Message;

/// A CONNECT packet. User name and password are skipped: AWS uses the user name for SDK metrics only.
#[derive(Debug)]
pub(crate) struct Connect {
    pub(crate) version: Version,
    pub(crate) client_id: String,
    pub(crate) clean_start: bool,
    pub(crate) keep_alive_s: u16,
    /// MQTT 5 only, as are the three fields below.
    pub(crate) session_expiry_s: Option<u32>,
    pub(crate) receive_maximum: Option<u16>,
    pub(crate) maximum_packet_bytes: Option<u32>,
    pub(crate) authentication_method: Option<String>,
    pub(crate) will: Option<Will>,
}

/// The last will of a client.
pub(crate) type Will = Message;

impl Connect {
    pub(super) fn read(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        let name = reader.binary()?;
        let level = reader.u8()?;
        let version = match (name, level) {
            (b"MQTT", 4) => Version::V311,
            (b"MQTT", 5) => Version::V5,
            (b"MQTT" | b"MQIsdp", other) => return Err(DecodeError::Version(other)),
            _ => return Err(DecodeError::Malformed("not an MQTT CONNECT packet")),
        };
        let flags = reader.u8()?;
        if flags & 1 != 0 {
            return Err(DecodeError::Malformed("the reserved CONNECT flag is set"));
        }
        let keep_alive_s = reader.u16()?;
        let properties = match version {
            Version::V311 => PacketProperties::default(),
            Version::V5 => PacketProperties::read(&mut reader)?,
        };
        let client_id = reader.string()?;
        let will = read_will(&mut reader, version, flags)?;
        if flags & 0x80 != 0 {
            reader.binary()?;
        }
        if flags & 0x40 != 0 {
            reader.binary()?;
        }
        if !reader.is_empty() {
            return Err(DecodeError::Malformed("bytes after the end of CONNECT"));
        }
        Ok(Self {
            version,
            client_id,
            clean_start: flags & 2 != 0,
            keep_alive_s,
            session_expiry_s: properties.session_expiry_s,
            receive_maximum: properties.receive_maximum,
            maximum_packet_bytes: properties.maximum_packet_bytes,
            authentication_method: properties.authentication_method,
            will,
        })
    }
}

fn read_will(reader: &mut Reader<'_>, version: Version, flags: u8) -> Result<Option<Will>, DecodeError> {
    let qos = flags >> 3 & 3;
    let retain = flags & 0x20 != 0;
    if flags & 4 == 0 {
        return match (qos, retain) {
            (0, false) => Ok(None),
            _ => Err(DecodeError::Malformed("will flags without a will")),
        };
    }
    if qos == 3 {
        return Err(DecodeError::Malformed("a will with QoS 3"));
    }
    let properties = match version {
        Version::V311 => PacketProperties::default(),
        Version::V5 => PacketProperties::read(reader)?,
    };
    let topic = reader.string()?;
    let payload = Bytes::copy_from_slice(reader.binary()?);
    Ok(Some(Message { topic, payload, qos, retain, properties: properties.message }))
}
