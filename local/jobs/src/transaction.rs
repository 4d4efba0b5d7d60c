//! One request or one timer: the state that it changes, its time, and the messages that tell of the changes.

use std::collections::{BTreeMap, BTreeSet};

use local_broker::Message;
use local_registry::Registry;

use super::notifications;
use super::store::Store;

/// An execution, by its job and number.
type Key = (String, i64);

/// Changes of the state, and the messages that they lead to.
pub(super) struct Transaction<'a> {
    pub(super) store: &'a mut Store,
    pub(super) registry: &'a Registry,
    pub(super) now_ms: i64,
    /// Events, in their order.
    pub(super) messages: Vec<Message>,
    /// Things whose executions may have changed, as they were before.
    touched: BTreeMap<String, Before>,
}

/// The pending executions of a thing before the transaction, and the first of them.
struct Before {
    pending: BTreeSet<Key>,
    next: Option<Key>,
}

impl Before {
    fn of(store: &Store, thing: &str) -> Self {
        let keys: Vec<Key> = store.pending(thing).iter().map(|p| (p.job_id.to_owned(), p.execution.number)).collect();
        Self { next: keys.first().cloned(), pending: keys.into_iter().collect() }
    }
}

impl<'a> Transaction<'a> {
    pub(super) fn new(store: &'a mut Store, registry: &'a Registry, now_ms: i64) -> Self {
        Self { store, registry, now_ms, messages: Vec::new(), touched: BTreeMap::new() }
    }

    /// To be called before the executions of a thing change: [`Transaction::finish`] notifies the thing of the changes.
    pub(super) fn touch(&mut self, thing: &str) {
        if !self.touched.contains_key(thing) {
            self.touched.insert(thing.to_owned(), Before::of(self.store, thing));
        }
    }

    /// The messages of the transaction: its events, and the notifications of things.
    pub(super) fn finish(self) -> Vec<Message> {
        let mut messages = self.messages;
        for (thing, before) in &self.touched {
            let after = Before::of(self.store, thing);
            if after.pending != before.pending {
                messages.push(notifications::list(self.store, thing, self.now_ms));
            }
            if after.next != before.next {
                messages.push(notifications::next(self.store, thing, self.now_ms));
            }
        }
        messages
    }
}
