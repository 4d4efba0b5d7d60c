//! Reason codes of MQTT 5, and the few of MQTT 3.1.1.

pub(in crate::broker) const SUCCESS: u8 = 0x00;
pub(in crate::broker) const DISCONNECT_WITH_WILL: u8 = 0x04;
pub(in crate::broker) const NO_SUBSCRIPTION_EXISTED: u8 = 0x11;
pub(in crate::broker) const MALFORMED_PACKET: u8 = 0x81;
pub(in crate::broker) const PROTOCOL_ERROR: u8 = 0x82;
pub(in crate::broker) const UNSUPPORTED_PROTOCOL_VERSION: u8 = 0x84;
pub(in crate::broker) const CLIENT_ID_NOT_VALID: u8 = 0x85;
pub(in crate::broker) const NOT_AUTHORIZED: u8 = 0x87;
pub(in crate::broker) const BAD_AUTHENTICATION_METHOD: u8 = 0x8C;
pub(in crate::broker) const KEEP_ALIVE_TIMEOUT: u8 = 0x8D;
pub(in crate::broker) const SESSION_TAKEN_OVER: u8 = 0x8E;
pub(in crate::broker) const TOPIC_FILTER_INVALID: u8 = 0x8F;
pub(in crate::broker) const TOPIC_NAME_INVALID: u8 = 0x90;
pub(in crate::broker) const TOPIC_ALIAS_INVALID: u8 = 0x94;
pub(in crate::broker) const PACKET_TOO_LARGE: u8 = 0x95;
pub(in crate::broker) const QUOTA_EXCEEDED: u8 = 0x97;
pub(in crate::broker) const ADMINISTRATIVE_ACTION: u8 = 0x98;
pub(in crate::broker) const RETAIN_NOT_SUPPORTED: u8 = 0x9A;
pub(in crate::broker) const QOS_NOT_SUPPORTED: u8 = 0x9B;

/// CONNACK of MQTT 3.1.1.
pub(in crate::broker) const V311_UNACCEPTABLE_VERSION: u8 = 1;
/// CONNACK of MQTT 3.1.1.
pub(in crate::broker) const V311_IDENTIFIER_REJECTED: u8 = 2;
/// What AWS answers where the standard says 5.
pub(in crate::broker) const V311_NOT_AUTHORIZED: u8 = 7;
/// SUBACK of MQTT 3.1.1.
pub(in crate::broker) const V311_SUBSCRIBE_FAILURE: u8 = 0x80;
