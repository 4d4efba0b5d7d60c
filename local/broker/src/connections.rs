//! The connection API: GetConnection, ListSubscriptions, DeleteConnection.

use super::Broker;
use super::codec::reason;
use super::lifecycle::End;
use super::limits;

/// A client that is, or lately was, connected.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Whether it is connected now.
    pub connected: bool,
    /// Since when, while it is.
    pub connected_since_ms: Option<i64>,
    /// Since when not, while it is not; known for 30 minutes.
    pub disconnected_since_ms: Option<i64>,
    /// Why not, as the `disconnected` event says it.
    pub disconnect_reason: Option<&'static str>,
    /// Whether it asked for a clean session.
    pub clean_session: bool,
    /// How long its session outlives its connection.
    pub session_expiry_s: u32,
    /// The keep-alive that is in force.
    pub keep_alive_s: u16,
    /// The other end of the socket.
    pub address: Option<std::net::SocketAddr>,
}

/// One subscription of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The topic filter, `$share/<group>/` included.
    pub filter: String,
    /// The granted QoS.
    pub qos: u8,
}

impl Broker {
    /// What is known of a client; None when it has not been seen for long and has no session.
    pub fn connection(&self, client_id: &str) -> Option<Connection> {
        let mut state = self.lock();
        let now_ms = state.now_ms();
        let client = state.clients.get(client_id)?;
        let mut record = client.record.clone();
        if record.disconnected_since_ms.is_some_and(|since| since + limits::DISCONNECT_MEMORY_MS <= now_ms) {
            if client.session_has_ended(now_ms) {
                return None;
            }
            (record.disconnected_since_ms, record.disconnect_reason) = (None, None);
        }
        Some(record)
    }

    /// Whether no client at all is connected.
    pub fn is_deserted(&self) -> bool {
        self.lock().clients.values().all(|client| client.link.is_none())
    }

    /// The subscriptions of a connected client or of an offline persistent session; None when there is neither.
    pub fn subscriptions(&self, client_id: &str) -> Option<Vec<Subscription>> {
        let mut state = self.lock();
        let now_ms = state.now_ms();
        let client = state.clients.get(client_id).filter(|client| !client.session_has_ended(now_ms))?;
        let all = client.session.subscriptions.iter();
        Some(all.map(|(filter, qos)| Subscription { filter: filter.clone(), qos: *qos }).collect())
    }

    /// DeleteConnection; false when no such client is connected.
    pub fn disconnect(&self, client_id: &str, clean_session: bool, prevent_will: bool) -> bool {
        let mut end = End::closed("API_INITIATED_DISCONNECT", reason::ADMINISTRATIVE_ACTION);
        end.will = !prevent_will;
        let mut state = self.lock();
        let client = state.clients.get_mut(client_id).filter(|client| client.link.is_some());
        let Some(client) = client else { return false };
        if clean_session {
            client.record.session_expiry_s = 0;
        }
        state.end_connection(client_id, end)
    }
}
