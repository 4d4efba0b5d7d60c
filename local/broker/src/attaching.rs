//! Clients come and go: sessions are taken up or dropped, wills published, lifecycle events emitted.

use tokio::sync::oneshot;
use tracing::debug;

use super::ClientId;
use super::access::{Authorizer, Peer};
use super::client::Client;
use super::codec::{ConnAck, Outgoing, Version, Will, reason};
use super::connections::Connection;
use super::lifecycle::{self, End};
use super::limits;
use super::link::{Inbox, Link, outbox};
use super::message::Publisher;
use super::session::Session;
use super::state::State;

/// A CONNECT that has been found good.
pub(super) struct Admission {
    pub(super) client_id: ClientId,
    pub(super) version: Version,
    pub(super) peer: Peer,
    pub(super) authorizer: Option<Authorizer>,
    pub(super) clean_start: bool,
    pub(super) session_expiry_s: u32,
    pub(super) keep_alive_s: u16,
    pub(super) window: usize,
    pub(super) maximum_packet_bytes: usize,
    pub(super) will: Option<Will>,
    /// What is to be told in CONNACK besides the session.
    pub(super) connack: ConnAck,
}

/// The connection's own end of its link.
pub(super) struct Attached {
    pub(super) number: u64,
    pub(super) outbox: super::link::Outbox,
    pub(super) inbox: Inbox,
    pub(super) closed: oneshot::Receiver<u8>,
}

impl State {
    /// Connects a client, in the place of an older connection with the same id.
    pub(super) fn attach(&mut self, admission: Admission) -> Attached {
        let Admission { client_id, version, peer, clean_start, session_expiry_s, keep_alive_s, .. } = admission;
        self.end_connection(&client_id, End::closed("DUPLICATE_CLIENTID", reason::SESSION_TAKEN_OVER));
        let now_ms = self.now_ms();
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
        let (outbox, inbox) = outbox();
        let (close, closed) = oneshot::channel();
        outbox.push(Outgoing::ConnAck(Box::new(ConnAck { session_present, session_expiry_s, ..admission.connack })));
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
            wire: self.wire.clone(),
            close,
            window: admission.window,
            maximum_packet_bytes: admission.maximum_packet_bytes,
            will: admission.will,
            peer,
            authorizer: admission.authorizer,
            version_number: next_version,
        };
        let mut session = session.unwrap_or_else(Session::new);
        let connected = lifecycle::connected(&client_id, &session.id, &link, now_ms);
        session.pump(&client_id, &link, now_ms);
        let client = Client { session, link: Some(link), record, next_version: next_version + 1 };
        self.clients.insert(client_id, client);
        if let Some(event) = connected {
            self.publish(event, Publisher::default(), false);
        }
        Attached { number, outbox, inbox, closed }
    }

    /// Ends a connection from its own side; nothing happens if it has been ended already.
    pub(super) fn detach(&mut self, client_id: &str, number: u64, end: End) {
        if self.clients.get(client_id).and_then(|client| client.link.as_ref()).is_some_and(|link| link.number == number)
        {
            self.end_connection(client_id, end);
        }
    }

    /// Ends whatever connection the client has; false when it has none.
    pub(super) fn end_connection(&mut self, client_id: &str, end: End) -> bool {
        let now_ms = self.now_ms();
        let Some((client_id, _)) = self.clients.get_key_value(client_id) else { return false };
        let client_id = client_id.clone();
        let Some(client) = self.clients.get_mut(&client_id) else { return false };
        let Some(mut link) = client.link.take() else { return false };
        debug!(client_id = &*client_id, why = end.disconnect_reason, "client disconnected");
        client.record.connected = false;
        client.record.connected_since_ms = None;
        client.record.disconnected_since_ms = Some(now_ms);
        client.record.disconnect_reason = Some(end.disconnect_reason);
        client.session.suspend();
        let event = lifecycle::disconnected(&client_id, &client.session.id, &link, end, now_ms);
        let ends = [client.session_ends_ms(), client.forgotten_ms()];
        self.due.extend(ends.into_iter().flatten().map(|at_ms| (at_ms, client_id.clone())));

        let will = link.will.take().filter(|_| end.will);
        if let Some(will) = will.filter(|will| link.may_publish(&client_id, will)) {
            let publisher =
                Publisher { client_id: Some(client_id.to_string()), principal: link.peer.principal.clone() };
            self.publish(will, publisher, true);
        }
        if let Some(event) = event {
            self.publish(event, Publisher::default(), false);
        }
        if let Some(reason) = end.reason {
            // A connection that ends itself no longer listens.
            let _ = link.close.send(reason);
        }
        // A session that does not outlive its connection is due now.
        self.now_ms();
        true
    }
}

impl State {
    /// A PUBACK: makes room for what waits.
    pub(super) fn acknowledged(&mut self, client_id: &str, number: u64, packet_id: u16) {
        let now_ms = self.now_ms();
        let Some(client) = self.clients.get_mut(client_id) else { return };
        let Some(link) = client.link.as_ref().filter(|link| link.number == number) else { return };
        if client.session.acknowledged(packet_id) {
            client.session.pump(client_id, link, now_ms);
        } else {
            debug!(client_id, packet_id, "PUBACK for nothing that was sent");
        }
    }

    /// MQTT 5 clients may change it when they leave, but not make a session of none.
    pub(super) fn change_session_expiry(&mut self, client_id: &str, number: u64, seconds: u32) {
        let Some(client) = self.clients.get_mut(client_id) else { return };
        if client.link.as_ref().is_some_and(|link| link.number == number) && client.record.session_expiry_s > 0 {
            client.record.session_expiry_s = seconds.min(limits::SESSION_EXPIRY_S);
        }
    }
}
