//! Reason codes of MQTT 5, and return codes of MQTT 3.1.1.

pub(crate) const SUCCESS: u8 = 0x00;
pub(crate) const DISCONNECT_WITH_WILL: u8 = 0x04;
pub(crate) const NO_SUBSCRIPTION_EXISTED: u8 = 0x11;
pub(crate) const MALFORMED_PACKET: u8 = 0x81;
pub(crate) const PROTOCOL_ERROR: u8 = 0x82;
pub(crate) const UNSUPPORTED_PROTOCOL_VERSION: u8 = 0x84;
pub(crate) const CLIENT_ID_NOT_VALID: u8 = 0x85;
pub(crate) const NOT_AUTHORIZED: u8 = 0x87;
pub(crate) const BAD_AUTHENTICATION_METHOD: u8 = 0x8C;
pub(crate) const KEEP_ALIVE_TIMEOUT: u8 = 0x8D;
pub(crate) const SESSION_TAKEN_OVER: u8 = 0x8E;
pub(crate) const TOPIC_FILTER_INVALID: u8 = 0x8F;
pub(crate) const TOPIC_NAME_INVALID: u8 = 0x90;
pub(crate) const TOPIC_ALIAS_INVALID: u8 = 0x94;
pub(crate) const PACKET_TOO_LARGE: u8 = 0x95;
pub(crate) const QUOTA_EXCEEDED: u8 = 0x97;
pub(crate) const ADMINISTRATIVE_ACTION: u8 = 0x98;
pub(crate) const RETAIN_NOT_SUPPORTED: u8 = 0x9A;
pub(crate) const QOS_NOT_SUPPORTED: u8 = 0x9B;
pub(crate) const SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED: u8 = 0xA1;

/// CONNACK return code of MQTT 3.1.1.
pub(crate) const V311_UNACCEPTABLE_VERSION: u8 = 1;
/// CONNACK return code of MQTT 3.1.1.
pub(crate) const V311_IDENTIFIER_REJECTED: u8 = 2;
/// CONNACK return code of AWS IoT, where MQTT 3.1.1 defines 5.
pub(crate) const V311_NOT_AUTHORIZED: u8 = 7;
/// SUBACK return code of MQTT 3.1.1.
pub(crate) const V311_SUBSCRIBE_FAILURE: u8 = 0x80;
