//! One client id: its session, its open connection if any, and its record for GetConnection.

use super::connection_api::Connection;
use super::limits;
use super::link::Link;
use super::session::{MessageCopy, Session};

/// A client that is connected, has a session, or disconnected less than an hour ago.
pub(super) struct Client {
    pub(super) session: Session,
    pub(super) link: Option<Link>,
    pub(super) record: Connection,
    /// `versionNumber` of the next connection's lifecycle events.
    pub(super) next_version: u64,
}

impl Client {
    pub(super) fn is_online(&self) -> bool {
        self.link.is_some()
    }

    /// When the session of a disconnected client ends, in milliseconds since 1970; `None` while connected.
    pub(super) fn session_ends_ms(&self) -> Option<i64> {
        let since = self.record.disconnected_since_ms.filter(|_| !self.is_online())?;
        Some(since.saturating_add(i64::from(self.record.session_expiry_s) * 1_000))
    }

    pub(super) fn session_has_ended(&self, now_ms: i64) -> bool {
        self.session_ends_ms().is_some_and(|end| end <= now_ms)
    }

    /// When the record of a disconnected client is removed, and its version number restarts at 0.
    pub(super) fn record_expires_ms(&self) -> Option<i64> {
        let since = self.record.disconnected_since_ms.filter(|_| !self.is_online())?;
        Some(self.session_ends_ms()?.max(since.saturating_add(limits::VERSION_RETENTION_MS)))
    }

    pub(super) fn is_record_expired(&self, now_ms: i64) -> bool {
        self.record_expires_ms().is_some_and(|end| end <= now_ms)
    }

    /// Sends or queues one message. QoS 0 messages are never queued.
    pub(super) fn deliver(&mut self, client_id: &str, copy: MessageCopy, qos: u8, now_ms: i64) {
        match (qos, &self.link) {
            (0, None) => {}
            (0, Some(link)) => Session::send_at_most_once(client_id, &copy, link, now_ms),
            (_, link) => self.session.send_at_least_once(client_id, copy, link.as_ref(), now_ms),
        }
    }
}
