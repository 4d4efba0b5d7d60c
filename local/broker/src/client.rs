//! One client id: its session, its connection if it has one, and what GetConnection tells of it.

use super::connections::Connection;
use super::limits;
use super::link::Link;
use super::session::{Copy, Session};

/// A client that is connected, has a session, or was connected lately.
pub(super) struct Client {
    pub(super) session: Session,
    pub(super) link: Option<Link>,
    pub(super) record: Connection,
    /// For the next connection's lifecycle events.
    pub(super) next_version: u64,
}

impl Client {
    pub(super) fn is_online(&self) -> bool {
        self.link.is_some()
    }

    /// When a disconnected client's session ends.
    pub(super) fn session_ends_ms(&self) -> Option<i64> {
        let since = self.record.disconnected_since_ms.filter(|_| !self.is_online())?;
        Some(since.saturating_add(i64::from(self.record.session_expiry_s) * 1_000))
    }

    pub(super) fn session_has_ended(&self, now_ms: i64) -> bool {
        self.session_ends_ms().is_some_and(|end| end <= now_ms)
    }

    /// When the version number of a disconnected client starts again.
    pub(super) fn forgotten_ms(&self) -> Option<i64> {
        let since = self.record.disconnected_since_ms.filter(|_| !self.is_online())?;
        Some(self.session_ends_ms()?.max(since.saturating_add(limits::VERSION_MEMORY_MS)))
    }

    pub(super) fn is_forgotten(&self, now_ms: i64) -> bool {
        self.forgotten_ms().is_some_and(|end| end <= now_ms)
    }

    /// Sends or queues one message.
    pub(super) fn deliver(&mut self, client_id: &str, copy: Copy, qos: u8, now_ms: i64) {
        match (qos, &self.link) {
            (0, None) => {}
            (0, Some(link)) => Session::send_at_most_once(client_id, &copy, link, now_ms),
            (_, link) => self.session.send_at_least_once(client_id, copy, link.as_ref(), now_ms),
        }
    }
}
