//! A mailbox: tasks post items, and the simulation takes them out in its own time.

use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

pub struct Mailbox<T> {
    items: Mutex<Vec<T>>,
    /// Notified at each post; all mailboxes of a fixture share it.
    pub wakeup: Arc<Notify>,
}

impl<T> Mailbox<T> {
    pub fn new(wakeup: &Arc<Notify>) -> Arc<Self> {
        Arc::new(Self { items: Mutex::new(Vec::new()), wakeup: wakeup.clone() })
    }

    pub fn post(&self, item: T) {
        self.items.lock().expect("no task panics with the lock").push(item);
        self.wakeup.notify_one();
    }

    pub fn take_all(&self) -> Vec<T> {
        std::mem::take(&mut *self.items.lock().expect("no task panics with the lock"))
    }
}
