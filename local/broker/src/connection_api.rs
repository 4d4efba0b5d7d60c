//! The connection API of AWS IoT: GetConnection, ListSubscriptions, DeleteConnection.

use super::Broker;
use super::codec::reason;
use super::lifecycle::ConnectionEnd;
use super::limits;

/// The state of a client's connection, as GetConnection returns it.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Whether the client is connected.
    pub connected: bool,
    /// Start of the open connection, in milliseconds since 1970; `None` when disconnected.
    pub connected_since_ms: Option<i64>,
    /// End of the last connection, in milliseconds since 1970; kept for 30 minutes.
    pub disconnected_since_ms: Option<i64>,
    /// `disconnectReason` of the `disconnected` event; kept for 30 minutes.
    pub disconnect_reason: Option<&'static str>,
    /// Whether CONNECT requested a clean session (MQTT 3.1.1) or clean start (MQTT 5).
    pub clean_session: bool,
    /// Seconds that the session outlives its connection.
    pub session_expiry_s: u32,
    /// Keep-alive in seconds, after AWS's limits were applied.
    pub keep_alive_s: u16,
    /// Remote socket address.
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
    /// GetConnection. `None` for a client without a session that has been disconnected for 30 minutes, or is unknown.
    pub fn connection(&self, client_id: &str) -> Option<Connection> {
        let mut state = self.lock();
        let now_ms = state.expire_sessions();
        let client = state.clients.get(client_id)?;
        let mut record = client.record.clone();
        if record.disconnected_since_ms.is_some_and(|since| since + limits::DISCONNECT_RETENTION_MS <= now_ms) {
            if client.session_has_ended(now_ms) {
                return None;
            }
            (record.disconnected_since_ms, record.disconnect_reason) = (None, None);
        }
        Some(record)
    }

    /// Client id and number of QoS 1 messages without PUBACK of each connected client that has any, by client id.
    pub fn unacknowledged(&self) -> Vec<(String, usize)> {
        let state = self.lock();
        let online = state.clients.iter().filter(|(_, client)| client.is_online());
        let counts = online.map(|(id, client)| (id.to_string(), client.session.unacknowledged()));
        let mut counts: Vec<_> = counts.filter(|(_, messages)| *messages > 0).collect();
        counts.sort();
        counts
    }

    /// ListSubscriptions: of a connected client or an offline persistent session; `None` when there is neither.
    pub fn subscriptions(&self, client_id: &str) -> Option<Vec<Subscription>> {
        let mut state = self.lock();
        let now_ms = state.expire_sessions();
        let client = state.clients.get(client_id).filter(|client| !client.session_has_ended(now_ms))?;
        let all = client.session.subscriptions.iter();
        Some(all.map(|(filter, qos)| Subscription { filter: filter.clone(), qos: *qos }).collect())
    }

    /// DeleteConnection; false when the client is not connected. `clean_session` also ends the session.
    pub fn disconnect(&self, client_id: &str, clean_session: bool, prevent_will: bool) -> bool {
        let mut end = ConnectionEnd::closed("API_INITIATED_DISCONNECT", reason::ADMINISTRATIVE_ACTION);
        end.publish_will = !prevent_will;
        let mut state = self.lock();
        let client = state.clients.get_mut(client_id).filter(|client| client.link.is_some());
        let Some(client) = client else { return false };
        if clean_session {
            client.record.session_expiry_s = 0;
        }
        state.end_connection(client_id, end)
    }
}
