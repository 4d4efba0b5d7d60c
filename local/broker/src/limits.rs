//! Quotas of AWS IoT Core that the broker enforces, and bounds of this broker.

use std::time::Duration;

/// Payload and, for MQTT 5, properties of a message (AWS: 128 KB).
pub(super) const MAX_MESSAGE_BYTES: usize = 128 * 1024;
/// A whole packet: the maximum packet size in the MQTT 5 CONNACK of AWS IoT.
pub(super) const MAX_PACKET_BYTES: usize = 149_504;
pub(super) const MAX_TOPIC_BYTES: usize = 256;
pub(super) const MAX_TOPIC_SLASHES: usize = 7;
/// Topic aliases that a client may use on one connection.
pub(super) const MAX_TOPIC_ALIASES: u16 = 8;
/// Begins each client id that the broker assigns. No client may connect with such an id, as with no other `$`.
pub(super) const ASSIGNED_CLIENT_ID_PREFIX: &str = "$GEN/";
pub(super) const MAX_CLIENT_ID_BYTES: usize = 128;
pub(super) const MAX_FILTERS_PER_SUBSCRIBE: usize = 8;
pub(super) const MAX_SUBSCRIPTIONS_PER_CONNECTION: usize = 50;
/// QoS 1 messages without PUBACK, in each direction.
pub(super) const MAX_IN_FLIGHT: u16 = 100;
/// Time without PUBACK after which a QoS 1 message is sent again. AWS documents none: devices have seen 30 seconds.
pub(super) const RESEND_INTERVAL_MS: i64 = 30_000;
/// Time without PUBACK after which a QoS 1 message is dropped.
pub(super) const MAX_RESEND_MS: i64 = 3_600_000;
/// Longest session expiry in seconds: AWS keeps a persistent session for one hour by default.
pub(super) const MAX_SESSION_EXPIRY_SECONDS: u32 = 3_600;
/// Shortest keep-alive in seconds: a client that requests less is given it.
pub(super) const MIN_KEEP_ALIVE_SECONDS: u16 = 30;
/// Longest keep-alive in seconds; also the keep-alive of a client that requests 0.
pub(super) const MAX_KEEP_ALIVE_SECONDS: u16 = 1_200;
/// Time offline after which the `versionNumber` of a client's lifecycle events restarts at 0.
pub(super) const VERSION_RETENTION_MS: i64 = 3_600_000;
/// Time for which GetConnection shows the end of a connection and its reason.
pub(super) const DISCONNECT_RETENTION_MS: i64 = 30 * 60_000;

/// Time limit from accepting a stream to its CONNECT packet.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Time limit for writing the last packets of a connection that is being closed.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// QoS 1 messages queued in one session; further messages are dropped and logged.
pub(super) const MAX_QUEUED_MESSAGES: usize = 10_000;
/// Bytes waiting for a client's socket above which QoS 0 messages are dropped.
pub(super) const SLOW_OUTBOX_BYTES: usize = 1024 * 1024;
/// Bytes waiting for a client's socket above which no more packets are read from it. Larger than a full window of the
/// largest messages, so only a client that sends requests without reading the answers reaches it.
pub(super) const FULL_OUTBOX_BYTES: usize = 16 * 1024 * 1024;
