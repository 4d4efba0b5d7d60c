//! Everything the broker knows, behind one lock, and the way a message takes through it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use local_clock::Clock;
use local_journal::Event;
use tokio::sync::mpsc;
use tracing::debug;

use super::ClientId;
use super::client::Client;
use super::message::{Message, Published, Publisher};
use super::retained::Retained;
use super::session::{Copy, Session};
use super::subscriptions::{Target, Tree};
use super::topic;
use super::wire::Wire;

/// The broker's state. Nothing in here waits.
pub(super) struct State {
    pub(super) clock: Clock,
    pub(super) clients: HashMap<ClientId, Client>,
    pub(super) subscriptions: Tree,
    pub(super) retained: Retained,
    pub(super) taps: Vec<mpsc::UnboundedSender<Published>>,
    /// When to look at a client again because its session or its memory may have ended.
    pub(super) due: BTreeSet<(i64, ClientId)>,
    pub(super) last_link: u64,
    pub(super) wire: Wire,
}

impl State {
    pub(super) fn new(clock: Clock, wire: Wire) -> Self {
        Self {
            clock,
            clients: HashMap::new(),
            subscriptions: Tree::default(),
            retained: Retained::default(),
            taps: Vec::new(),
            due: BTreeSet::new(),
            last_link: 0,
            wire,
        }
    }

    /// The time, after everything that has ended by now is forgotten.
    pub(super) fn now_ms(&mut self) -> i64 {
        let now_ms = self.clock.now_ms();
        while self.due.first().is_some_and(|(at_ms, _)| *at_ms <= now_ms) {
            if let Some((_, client_id)) = self.due.pop_first() {
                self.look_at(&client_id, now_ms);
            }
        }
        now_ms
    }

    fn look_at(&mut self, client_id: &ClientId, now_ms: i64) {
        let Some(client) = self.clients.get_mut(client_id) else { return };
        if client.session_has_ended(now_ms) {
            debug!(client_id = &**client_id, "session expired");
            let session = std::mem::take(&mut client.session);
            self.drop_subscriptions(client_id, &session);
        }
        if self.clients.get(client_id).is_some_and(|client| client.is_forgotten(now_ms)) {
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

    /// Takes a message that has been checked: keeps it if asked to, shows it to the taps, hands it out.
    pub(super) fn publish(&mut self, message: Message, publisher: Publisher, last_will: bool) {
        let at_ms = self.now_ms();
        self.wire.journal.record(|| Event::Published {
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
        for target in self.subscriptions.targets(&message.topic, publisher.client_id.as_deref(), online) {
            self.deliver(target, &message, at_ms);
        }
    }

    fn deliver(&mut self, target: Target, message: &Arc<Message>, at_ms: i64) {
        let Some(client) = self.clients.get_mut(&target.client) else { return };
        let mut copy = Copy::new(message.clone(), at_ms);
        copy.retain = message.retain && target.retain_as_published;
        copy.subscription_ids = target.subscription_ids;
        client.deliver(&target.client, copy, target.qos.min(message.qos), at_ms);
    }
}
