//! The broker's state behind its lock, and the path of a published message to taps and subscribers.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use local_clock::Clock;
use local_journal::Event;
use tokio::sync::mpsc;
use tracing::debug;

use super::ClientId;
use super::client::Client;
use super::message::{Message, Published, Publisher};
use super::retained::RetainedMessages;
use super::session::{MessageCopy, Session};
use super::subscriptions::{Recipient, SubscriptionTree};
use super::topic;
use super::transmission::Transmission;

/// The broker's state. No method blocks or awaits, because the lock is held.
pub(super) struct State {
    pub(super) clock: Clock,
    pub(super) clients: HashMap<ClientId, Client>,
    pub(super) subscriptions: SubscriptionTree,
    pub(super) retained: RetainedMessages,
    pub(super) taps: Vec<mpsc::UnboundedSender<Published>>,
    /// Times, in milliseconds since 1970, at which a client's session or record may expire.
    pub(super) expiries: BTreeSet<(i64, ClientId)>,
    pub(super) last_link: u64,
    pub(super) transmission: Transmission,
}

impl State {
    pub(super) fn new(clock: Clock, transmission: Transmission) -> Self {
        Self {
            clock,
            clients: HashMap::new(),
            subscriptions: SubscriptionTree::default(),
            retained: RetainedMessages::default(),
            taps: Vec::new(),
            expiries: BTreeSet::new(),
            last_link: 0,
            transmission,
        }
    }

    /// Removes sessions and client records that have expired. Returns the current time, in milliseconds since 1970.
    pub(super) fn expire_sessions(&mut self) -> i64 {
        let now_ms = self.clock.now_ms();
        while self.expiries.first().is_some_and(|(at_ms, _)| *at_ms <= now_ms) {
            if let Some((_, client_id)) = self.expiries.pop_first() {
                self.expire_client(&client_id, now_ms);
            }
        }
        now_ms
    }

    fn expire_client(&mut self, client_id: &ClientId, now_ms: i64) {
        let Some(client) = self.clients.get_mut(client_id) else { return };
        if client.session_has_ended(now_ms) {
            debug!(client_id = &**client_id, "session expired");
            let session = std::mem::take(&mut client.session);
            self.drop_subscriptions(client_id, &session);
        }
        if self.clients.get(client_id).is_some_and(|client| client.is_record_expired(now_ms)) {
            self.clients.remove(client_id);
        }
    }

    pub(super) fn drop_subscriptions(&mut self, client_id: &str, session: &Session) {
        for filter in session.subscriptions.keys() {
            if let Ok(filter) = topic::Filter::parse(filter) {
                self.subscriptions.remove(filter, client_id);
            }
        }
    }

    /// Publishes a checked message: stores it if retained, sends it to taps and, unless Basic Ingest, to subscribers.
    pub(super) fn publish(&mut self, message: Message, publisher: Publisher, last_will: bool) {
        let at_ms = self.expire_sessions();
        self.transmission.journal.record(|| Event::Published {
            topic: message.topic.clone(),
            payload: message.payload.clone(),
            client: publisher.client_id.clone(),
        });
        let message = Arc::new(message);
        if message.retain {
            self.retained.put(&message, at_ms);
        }
        self.taps.retain(|tap| {
            let message = Message::clone(&message);
            tap.send(Published { message, publisher: publisher.clone(), at_ms, last_will }).is_ok()
        });
        if topic::is_basic_ingest(&message.topic) {
            return;
        }
        let online = |client_id: &str| self.clients.get(client_id).is_some_and(Client::is_online);
        for recipient in self.subscriptions.recipients(&message.topic, publisher.client_id.as_deref(), online) {
            self.deliver(recipient, &message, at_ms);
        }
    }

    fn deliver(&mut self, recipient: Recipient, message: &Arc<Message>, at_ms: i64) {
        let Some(client) = self.clients.get_mut(&recipient.client) else { return };
        let mut copy = MessageCopy::new(message.clone(), at_ms);
        copy.retain = message.retain && recipient.retain_as_published;
        client.deliver(&recipient.client, copy, recipient.qos.min(message.qos), at_ms);
    }
}
