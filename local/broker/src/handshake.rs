//! Checks a CONNECT packet: client id, authorization, last will, limits.

use super::attaching::AcceptedConnect;
use super::authorization::{AccessRequest, Authorizer, Peer, is_allowed};
use super::codec::{ConnAck, Connect, Version, reason};
use super::limits;
use super::publishing::check_message;
use super::topic;

/// Why a CONNECT is refused, with the return codes of both protocol versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{cause}")]
pub(super) struct ConnectRefusal {
    cause: &'static str,
    pub(super) v5: u8,
    /// `None`: MQTT 3.1.1 has no code for this cause, so the connection is closed without CONNACK.
    pub(super) v311: Option<u8>,
}

const fn refusal(cause: &'static str, v5: u8, v311: Option<u8>) -> ConnectRefusal {
    ConnectRefusal { cause, v5, v311 }
}

/// Returns the settings of the connection, with AWS's limits applied, or the refusal.
pub(super) fn check_connect(
    connect: Connect,
    peer: Peer,
    authorizer: Option<Authorizer>,
) -> Result<AcceptedConnect, ConnectRefusal> {
    let bad_id = |cause| refusal(cause, reason::CLIENT_ID_NOT_VALID, Some(reason::V311_IDENTIFIER_REJECTED));
    let mut connack = ConnAck::default();
    let client_id = match connect.client_id {
        id if id.starts_with('$') => return Err(bad_id("a client id must not begin with $")),
        id if id.len() > limits::MAX_CLIENT_ID_BYTES => return Err(bad_id("a client id has at most 128 bytes")),
        id if !id.is_empty() => id,
        _ if connect.version == Version::V311 && !connect.clean_start => {
            return Err(bad_id("a persistent session needs a client id"));
        }
        _ => {
            let id = format!("{}{}", limits::ASSIGNED_CLIENT_ID_PREFIX, uuid::Uuid::new_v4());
            connack.assigned_client_id = Some(id.clone());
            id
        }
    };
    if connect.authentication_method.is_some() {
        return Err(refusal("enhanced authentication is not supported", reason::BAD_AUTHENTICATION_METHOD, None));
    }
    let access = AccessRequest {
        client_id: &client_id,
        action: "iot:Connect",
        resource: &client_id,
        persistent: match connect.version {
            Version::V311 => !connect.clean_start,
            Version::V5 => connect.session_expiry_s.is_some_and(|expiry| expiry > 0),
        },
        will_topic: connect.will.as_ref().map(|will| will.topic.as_ref()),
    };
    if !is_allowed(authorizer.as_ref(), &peer, &access) {
        return Err(refusal("not authorized", reason::NOT_AUTHORIZED, Some(reason::V311_NOT_AUTHORIZED)));
    }
    if let Some(will) = &connect.will {
        if will.qos > 1 {
            return Err(refusal("a last will with QoS 2", reason::QOS_NOT_SUPPORTED, None));
        }
        if topic::check_client_topic(&will.topic).is_err() || check_message(will).is_err() {
            return Err(refusal("a last will that may not be published", reason::TOPIC_NAME_INVALID, None));
        }
    }
    let keep_alive_s = match connect.keep_alive_s {
        0 => limits::MAX_KEEP_ALIVE_SECONDS,
        seconds => seconds.clamp(limits::MIN_KEEP_ALIVE_SECONDS, limits::MAX_KEEP_ALIVE_SECONDS),
    };
    connack.server_keep_alive_s = (keep_alive_s != connect.keep_alive_s).then_some(keep_alive_s);
    let session_expiry_s = match connect.version {
        Version::V311 if connect.clean_start => 0,
        Version::V311 => limits::MAX_SESSION_EXPIRY_SECONDS,
        Version::V5 => connect.session_expiry_s.unwrap_or(0).min(limits::MAX_SESSION_EXPIRY_SECONDS),
    };
    let window = connect.receive_maximum.map_or(limits::MAX_IN_FLIGHT, |maximum| maximum.min(limits::MAX_IN_FLIGHT));
    let maximum_packet_bytes = connect.maximum_packet_bytes.and_then(|bytes| usize::try_from(bytes).ok());
    Ok(AcceptedConnect {
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
