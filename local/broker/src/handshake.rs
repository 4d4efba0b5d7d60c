//! Judges a CONNECT packet.

use super::access::{Ask, Authorizer, Peer, may};
use super::attaching::Admission;
use super::codec::{ConnAck, Connect, Version, reason};
use super::limits;
use super::publishing::check;
use super::topic;

/// Why a client may not connect: the reason of MQTT 5, and what MQTT 3.1.1 has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub(super) struct Refused {
    why: &'static str,
    pub(super) v5: u8,
    /// None: nothing is answered.
    pub(super) v311: Option<u8>,
}

const fn refused(why: &'static str, v5: u8, v311: Option<u8>) -> Refused {
    Refused { why, v5, v311 }
}

/// What the client gets, or why it gets nothing.
pub(super) fn judge(connect: Connect, peer: Peer, authorizer: Option<Authorizer>) -> Result<Admission, Refused> {
    let bad_id = |why| refused(why, reason::CLIENT_ID_NOT_VALID, Some(reason::V311_IDENTIFIER_REJECTED));
    let mut connack = ConnAck::default();
    let client_id = match connect.client_id {
        id if id.starts_with('$') => return Err(bad_id("a client id must not begin with $")),
        id if id.len() > limits::CLIENT_ID_BYTES => return Err(bad_id("a client id has at most 128 bytes")),
        id if !id.is_empty() => id,
        _ if connect.version == Version::V311 && !connect.clean_start => {
            return Err(bad_id("a persistent session needs a client id"));
        }
        _ => {
            let id = uuid::Uuid::new_v4().to_string();
            connack.assigned_client_id = Some(id.clone());
            id
        }
    };
    if connect.authentication_method.is_some() {
        return Err(refused("enhanced authentication is not supported", reason::BAD_AUTHENTICATION_METHOD, None));
    }
    let ask = Ask { client_id: &client_id, action: "iot:Connect", resource: &client_id };
    if !may(authorizer.as_ref(), &peer, &ask) {
        return Err(refused("not authorized", reason::NOT_AUTHORIZED, Some(reason::V311_NOT_AUTHORIZED)));
    }
    if let Some(will) = &connect.will {
        if will.qos > 1 {
            return Err(refused("a last will with QoS 2", reason::QOS_NOT_SUPPORTED, None));
        }
        if topic::check_client_topic(&will.topic).is_err() || check(will).is_err() {
            return Err(refused("a last will that may not be published", reason::TOPIC_NAME_INVALID, None));
        }
    }
    let keep_alive_s = match connect.keep_alive_s {
        1..=limits::KEEP_ALIVE_S => connect.keep_alive_s,
        _ => limits::KEEP_ALIVE_S,
    };
    connack.server_keep_alive_s = (keep_alive_s != connect.keep_alive_s).then_some(keep_alive_s);
    let session_expiry_s = match connect.version {
        Version::V311 if connect.clean_start => 0,
        Version::V311 => limits::SESSION_EXPIRY_S,
        Version::V5 => connect.session_expiry_s.unwrap_or(0).min(limits::SESSION_EXPIRY_S),
    };
    let window = connect.receive_maximum.map_or(limits::IN_FLIGHT, |maximum| maximum.min(limits::IN_FLIGHT));
    let maximum_packet_bytes = connect.maximum_packet_bytes.and_then(|bytes| usize::try_from(bytes).ok());
    Ok(Admission {
        client_id: client_id.into(),
        version: connect.version,
        peer,
        authorizer,
        clean_start: connect.clean_start,
        session_expiry_s,
        keep_alive_s,
        window: window.into(),
        maximum_packet_bytes: maximum_packet_bytes.unwrap_or(usize::MAX),
        will: connect.will,
        connack,
    })
}
