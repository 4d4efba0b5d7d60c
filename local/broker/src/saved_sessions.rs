//! Persistent sessions in the saved state: their subscriptions, and the QoS 1 messages without a PUBACK. Open
//! connections end with the stack, so each session is saved as that of a client that has just lost its connection.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::warn;

use super::client::Client;
use super::connection_api::Connection;
use super::retained::Stored;
use super::session::{MessageCopy, Session};
use super::state::State;
use super::subscriptions::SubscriptionOptions;
use super::topic::Filter;

/// The session of one client. Times are in milliseconds since 1970.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SavedSession {
    client: String,
    id: String,
    session_expiry_s: u32,
    keep_alive_s: u16,
    disconnected_since_ms: i64,
    next_version: u64,
    subscriptions: Vec<SavedSubscription>,
    /// The oldest first.
    queue: Vec<SavedCopy>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SavedSubscription {
    filter: String,
    #[serde(flatten)]
    options: SubscriptionOptions,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SavedCopy {
    message: Stored,
    expires_at_ms: Option<i64>,
    retain: bool,
    /// Packet identifier of the delivery on the last connection, if there was one.
    sent_as: Option<u16>,
}

impl State {
    /// The sessions that outlive their connection.
    pub(super) fn saved_sessions(&self, now_ms: i64) -> Value {
        let persistent = self.clients.iter().filter(|(_, client)| client.record.session_expiry_s > 0);
        persistent
            .filter(|(_, client)| !client.session_has_ended(now_ms))
            .map(|(id, client)| serde_json::to_value(self.saved_session(id, client, now_ms)).unwrap_or_default())
            .collect()
    }

    fn saved_session(&self, id: &str, client: &Client, now_ms: i64) -> SavedSession {
        let Client { session, record, next_version, .. } = client;
        let subscription = |(filter, qos): (&String, &u8)| SavedSubscription {
            filter: filter.clone(),
            options: Filter::parse(filter)
                .ok()
                .and_then(|filter| self.subscriptions.options(filter, id))
                .unwrap_or_else(|| SubscriptionOptions { qos: *qos, ..SubscriptionOptions::default() }),
        };
        SavedSession {
            client: id.to_owned(),
            id: session.id.clone(),
            session_expiry_s: record.session_expiry_s,
            keep_alive_s: record.keep_alive_s,
            disconnected_since_ms: record.disconnected_since_ms.unwrap_or(now_ms),
            next_version: *next_version,
            subscriptions: session.subscriptions.iter().map(subscription).collect(),
            queue: session
                .unacknowledged_copies()
                .map(|(sent_as, copy)| SavedCopy {
                    message: Stored::new(&copy.message, now_ms),
                    expires_at_ms: copy.expires_at_ms,
                    retain: copy.retain,
                    sent_as,
                })
                .collect(),
        }
    }

    /// Adds the sessions of a snapshot. Unreadable ones are skipped with a warning.
    pub(super) fn restore_sessions(&mut self, state: &Value) {
        for saved in state.as_array().into_iter().flatten() {
            match SavedSession::deserialize(saved) {
                Ok(saved) => self.restore_session(saved),
                Err(error) => warn!(%error, "an unreadable session of the saved state is skipped"),
            }
        }
        self.expire_sessions();
    }

    fn restore_session(&mut self, saved: SavedSession) {
        let client_id = saved.client.into();
        let mut session = Session::new();
        session.id = saved.id;
        for SavedSubscription { filter, options } in saved.subscriptions {
            if let Ok(parsed) = Filter::parse(&filter) {
                session.subscriptions.insert(filter.clone(), options.qos);
                self.subscriptions.insert(parsed, &client_id, options);
            }
        }
        for copy in saved.queue {
            match copy.message.into_message(false) {
                Ok((message, _)) => {
                    let mut restored = MessageCopy::new(Arc::new(message), 0);
                    restored.expires_at_ms = copy.expires_at_ms;
                    restored.retain = copy.retain;
                    restored.sent_as = copy.sent_as;
                    session.restore(restored);
                }
                Err(error) => warn!(error, client = %client_id, "an unreadable queued message is skipped"),
            }
        }
        let record = Connection {
            connected: false,
            connected_since_ms: None,
            disconnected_since_ms: Some(saved.disconnected_since_ms),
            disconnect_reason: Some("CONNECTION_LOST"),
            clean_session: false,
            session_expiry_s: saved.session_expiry_s,
            keep_alive_s: saved.keep_alive_s,
            address: None,
        };
        let client = Client { session, link: None, record, next_version: saved.next_version };
        let expiries = [client.session_ends_ms(), client.record_expires_ms()];
        self.expiries.extend(expiries.into_iter().flatten().map(|at_ms| (at_ms, client_id.clone())));
        self.clients.insert(client_id, client);
    }
}
