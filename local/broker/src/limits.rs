//! The quotas of AWS IoT Core that the broker keeps, and its own bounds.

use std::time::Duration;

/// A message: payload, and for MQTT 5 its properties (AWS: 128 KB).
pub(super) const MESSAGE_BYTES: usize = 128 * 1024;
/// A whole packet, as AWS announces it in its MQTT 5 CONNACK.
pub(super) const PACKET_BYTES: usize = 149_504;
pub(super) const TOPIC_BYTES: usize = 256;
pub(super) const TOPIC_SLASHES: usize = 7;
pub(super) const CLIENT_ID_BYTES: usize = 128;
pub(super) const FILTERS_PER_SUBSCRIBE: usize = 8;
pub(super) const SUBSCRIPTIONS_PER_CONNECTION: usize = 50;
/// QoS 1 messages sent to a client and not yet acknowledged; and those it may have open towards us.
pub(super) const IN_FLIGHT: u16 = 100;
/// AWS keeps a persistent session for an hour.
pub(super) const SESSION_EXPIRY_S: u32 = 3_600;
/// The longest keep-alive; also what a client gets that asks for none.
pub(super) const KEEP_ALIVE_S: u16 = 1_200;
/// A client's version number starts again after that long offline.
pub(super) const VERSION_MEMORY_MS: i64 = 3_600_000;
/// GetConnection tells for that long when and why a client left.
pub(super) const DISCONNECT_MEMORY_MS: i64 = 30 * 60_000;

/// From accepting a stream to its CONNECT packet.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// For the last packets to a client whose connection is being closed.
pub(super) const FAREWELL_TIMEOUT: Duration = Duration::from_secs(1);
/// QoS 1 messages waiting in one session, on or offline; more are dropped and logged.
pub(super) const QUEUED_MESSAGES: usize = 10_000;
/// Bytes waiting for a client's socket. Beyond it QoS 0 is dropped.
pub(super) const OUTBOX_BYTES: usize = 1024 * 1024;
/// Beyond it, the client is not read from either: more than a full window of the largest messages, so only a client
/// that asks and does not read the answers comes here.
pub(super) const OUTBOX_FULL_BYTES: usize = 16 * 1024 * 1024;
