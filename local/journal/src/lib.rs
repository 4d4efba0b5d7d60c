//! The log of a run, in order: writes to tables, messages, shadow updates, calls and invokes. Tests prove properties
//! from it.
//!
//! | module | holds |
//! |---|---|
//! | [`entry`] | the kinds of entries |
//! | [`origin`] | the invoke of a function that caused an entry |
//! | [`outcome`] | how an invoke of a function ended |

mod entry;
mod origin;
mod outcome;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use local_clock::Clock;

pub use entry::{Entry, Event};
pub use origin::Origin;
pub use outcome::InvokeOutcome;

/// A handle on the log; clones share it. The default one is off: it keeps nothing, and costs nothing.
#[derive(Clone, Debug, Default)]
pub struct Journal(Option<Arc<Log>>);

#[derive(Debug)]
struct Log {
    clock: Clock,
    entries: Mutex<Vec<Entry>>,
}

impl Journal {
    /// A journal that keeps every entry in memory, without bounds.
    pub fn on(clock: Clock) -> Self {
        Self(Some(Arc::new(Log { clock, entries: Mutex::default() })))
    }

    /// Whether entries are kept.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// All entries so far, in the order in which they were recorded.
    pub fn entries(&self) -> Vec<Entry> {
        self.0.as_ref().map(|log| log.entries().clone()).unwrap_or_default()
    }

    /// The number of entries so far.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |log| log.entries().len())
    }

    /// Whether there is no entry yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The newest entries, at most `count`, in the order in which they were recorded.
    pub fn newest(&self, count: usize) -> Vec<Entry> {
        let Some(log) = &self.0 else { return Vec::new() };
        let entries = log.entries();
        entries[entries.len().saturating_sub(count)..].to_vec()
    }

    /// Records an event; `event` is not called if the journal is off.
    pub fn record(&self, event: impl FnOnce() -> Event) {
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
