//! Connecting and disconnecting clients: sessions are resumed or dropped, wills and lifecycle events are published.

use std::sync::Arc;

use tokio::sync::{Notify, oneshot};
use tracing::debug;

use super::ClientId;
use super::authorization::{Authorizer, Peer};
use super::client::Client;
use super::codec::{ConnAck, Outgoing, Version, Will, reason};
use super::connection_api::Connection;
use super::lifecycle::{self, ConnectionEnd};
use super::limits;
use super::link::{Link, OutboxReader, outbox_channel};
use super::message::Publisher;
use super::session::Session;
use super::state::State;

/// An accepted CONNECT: the settings of the connection that begins.
pub(super) struct AcceptedConnect {
    pub(super) client_id: ClientId,
    pub(super) version: Version,
    pub(super) peer: Peer,
    pub(super) authorizer: Option<Authorizer>,
    pub(super) clean_start: bool,
    pub(super) session_expiry_s: u32,
    pub(super) keep_alive_s: u16,
    /// QoS 1 messages that may be unacknowledged at a time.
    pub(super) window: usize,
    pub(super) maximum_packet_bytes: usize,
    pub(super) will: Option<Will>,
    /// CONNACK, except for its session fields.
    pub(super) connack: ConnAck,
}

/// The parts of a new [`Link`] that the connection's task owns.
pub(super) struct AttachedConnection {
    /// Number of the link, see [`Link::number`].
    pub(super) number: u64,
    pub(super) outbox: super::link::Outbox,
    pub(super) outbox_reader: OutboxReader,
    /// See [`Link::sent`].
    pub(super) sent: Arc<Notify>,
    /// Receives the MQTT 5 reason code when the broker closes the connection.
    pub(super) closed: oneshot::Receiver<u8>,
}

impl State {
    /// Connects a client. An open connection with the same client id is closed first.
    pub(super) fn attach_connection(&mut self, accepted: AcceptedConnect) -> AttachedConnection {
        let AcceptedConnect { client_id, version, peer, clean_start, session_expiry_s, keep_alive_s, .. } = accepted;
        self.end_connection(&client_id, ConnectionEnd::closed("DUPLICATE_CLIENTID", reason::SESSION_TAKEN_OVER));
        let now_ms = self.expire_sessions();
        let earlier = self.clients.remove(&client_id);
        let next_version = earlier.as_ref().map_or(0, |client| client.next_version);
        let has_session = earlier.as_ref().is_some_and(|client| !client.session_has_ended(now_ms));
        let session = match earlier {
            Some(client) if has_session && !clean_start => Some(client.session),
            Some(client) => {
                self.drop_subscriptions(&client_id, &client.session);
                None
            }
            None => None,
        };
        let session_present = session.is_some();

        self.last_link += 1;
        let number = self.last_link;
        let (outbox, outbox_reader) = outbox_channel();
        let (close, closed) = oneshot::channel();
        let sent = Arc::new(Notify::new());
        outbox.push(Outgoing::ConnAck(Box::new(ConnAck { session_present, session_expiry_s, ..accepted.connack })));
        debug!(client_id = &*client_id, ?version, session_present, address = ?peer.address, "client connected");
        let record = Connection {
            connected: true,
            connected_since_ms: Some(now_ms),
            disconnected_since_ms: None,
            disconnect_reason: None,
            clean_session: clean_start,
            session_expiry_s,
            keep_alive_s,
            address: peer.address,
        };
        let link = Link {
            number,
            version,
            outbox: outbox.clone(),
            transmission: self.transmission.clone(),
            sent: sent.clone(),
            close,
            window: accepted.window,
            maximum_packet_bytes: accepted.maximum_packet_bytes,
            will: accepted.will,
            peer,
            authorizer: accepted.authorizer,
            version_number: next_version,
        };
        let mut session = session.unwrap_or_else(Session::new);
        let connected = lifecycle::connected_event(&client_id, &session.id, &link, now_ms);
        session.send_waiting(&client_id, &link, now_ms);
        let client = Client { session, link: Some(link), record, next_version: next_version + 1 };
        self.clients.insert(client_id, client);
        if let Some(event) = connected {
            self.publish(event, Publisher::default(), false);
        }
        AttachedConnection { number, outbox, outbox_reader, sent, closed }
    }

    /// Ends the connection with this number. Does nothing if it has already ended or been replaced.
    pub(super) fn detach_connection(&mut self, client_id: &str, number: u64, end: ConnectionEnd) {
        if self.clients.get(client_id).and_then(|client| client.link.as_ref()).is_some_and(|link| link.number == number)
        {
            self.end_connection(client_id, end);
        }
    }

    /// Ends the client's open connection; false when there is none.
    pub(super) fn end_connection(&mut self, client_id: &str, end: ConnectionEnd) -> bool {
        let now_ms = self.expire_sessions();
        let Some((client_id, _)) = self.clients.get_key_value(client_id) else { return false };
        let client_id = client_id.clone();
        let Some(client) = self.clients.get_mut(&client_id) else { return false };
        let Some(mut link) = client.link.take() else { return false };
        debug!(client_id = &*client_id, reason = end.disconnect_reason, "client disconnected");
        client.record.connected = false;
        client.record.connected_since_ms = None;
        client.record.disconnected_since_ms = Some(now_ms);
        client.record.disconnect_reason = Some(end.disconnect_reason);
        client.session.suspend();
        let event = lifecycle::disconnected_event(&client_id, &client.session.id, &link, end, now_ms);
        let expiries = [client.session_ends_ms(), client.record_expires_ms()];
        self.expiries.extend(expiries.into_iter().flatten().map(|at_ms| (at_ms, client_id.clone())));

        let will = link.will.take().filter(|_| end.publish_will);
        if let Some(will) = will.filter(|will| link.is_publish_allowed(&client_id, will)) {
            let publisher = Publisher { client_id: Some(client_id.to_string()), principal: link.peer.principal_id() };
            self.publish(will, publisher, true);
        }
        if let Some(event) = event {
            self.publish(event, Publisher::default(), false);
        }
        if let Some(reason) = end.reason {
            // Sending fails if the connection's task has ended; then there is nothing left to close.
            let _ = link.close.send(reason);
        }
        // A session with expiry 0 ends with its connection.
        self.expire_sessions();
        true
    }
}

impl State {
    /// Handles a PUBACK and sends waiting messages into the freed window.
    pub(super) fn handle_puback(&mut self, client_id: &str, number: u64, packet_id: u16) {
        let now_ms = self.expire_sessions();
        let Some(client) = self.clients.get_mut(client_id) else { return };
        let Some(link) = client.link.as_ref().filter(|link| link.number == number) else { return };
        if client.session.handle_puback(packet_id) {
            client.session.send_waiting(client_id, link, now_ms);
        } else {
            debug!(client_id, packet_id, "PUBACK without a matching message in flight");
        }
    }

    /// When a message is to be sent again on this connection, in milliseconds since 1970.
    pub(super) fn next_resend_ms(&self, client_id: &str, number: u64) -> Option<i64> {
        let client = self.clients.get(client_id)?;
        client.link.as_ref().filter(|link| link.number == number)?;
        client.session.next_resend_ms()
    }

    /// Sends again, on this connection, what the client has not acknowledged in time.
    pub(super) fn resend_unacknowledged(&mut self, client_id: &str, number: u64) {
        let now_ms = self.expire_sessions();
        let Some(client) = self.clients.get_mut(client_id) else { return };
        let Some(link) = client.link.as_ref().filter(|link| link.number == number) else { return };
        client.session.resend_unacknowledged(client_id, link, now_ms);
    }

    /// Applies the session expiry of an MQTT 5 DISCONNECT. An expiry of 0 from CONNECT is final (MQTT 5, 3.14.2.2.2).
    pub(super) fn change_session_expiry(&mut self, client_id: &str, number: u64, seconds: u32) {
        let Some(client) = self.clients.get_mut(client_id) else { return };
        if client.link.as_ref().is_some_and(|link| link.number == number) && client.record.session_expiry_s > 0 {
            client.record.session_expiry_s = seconds.min(limits::MAX_SESSION_EXPIRY_SECONDS);
        }
    }
}
