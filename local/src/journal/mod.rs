//! The log of a run: what was written, sent, said and run, in order, for proofs to read.
//!
//! | file | holds |
//! |---|---|
//! | [`entry`] | what can be in it |
//! | [`origin`] | which invoke of which function an entry comes from |

mod entry;
mod origin;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::Clock;

pub use entry::{Entry, Event};
pub use origin::Origin;

/// A handle on the log; clones share it. By default it is off, and costs nothing.
#[derive(Clone, Debug, Default)]
pub struct Journal(Option<Arc<Log>>);

#[derive(Debug)]
struct Log {
    clock: Clock,
    entries: Mutex<Vec<Entry>>,
}

impl Journal {
    /// A journal that keeps everything in memory, without bounds.
    pub fn on(clock: Clock) -> Self {
        Self(Some(Arc::new(Log { clock, entries: Mutex::default() })))
    }

    /// Whether it keeps anything.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Everything so far, in the order in which it happened.
    pub fn entries(&self) -> Vec<Entry> {
        self.0.as_ref().map(|log| log.entries().clone()).unwrap_or_default()
    }

    /// Keeps an event, which is not even made where the journal is off.
    pub(crate) fn record(&self, event: impl FnOnce() -> Event) {
        if let Some(log) = &self.0 {
            let entry = Entry { at_ms: log.clock.now_ms(), origin: Origin::current(), event: event() };
            log.entries().push(entry);
        }
    }
}

impl Log {
    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
