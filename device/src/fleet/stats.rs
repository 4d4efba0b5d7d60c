//! What a fleet counts while it runs.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A counter that a thousand tasks share.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub fn add(&self, n: usize) {
        self.0.fetch_add(n as u64, Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counts since the fleet was started.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Stats { $($(#[$doc])* pub $name: u64,)* }

        #[derive(Debug, Default)]
        pub(crate) struct Counters { $(pub $name: Counter,)* }

        impl Counters {
            pub fn read(&self) -> Stats {
                Stats { $($name: self.$name.get(),)* }
            }
        }
    };
}

counters! {
    /// Connections made; more than there are things when some were lost.
    connects,
    /// Messages on request topics, repeated ones included.
    requests,
    /// Messages on topics for broadcasts, at each thing that got one, repeated ones included.
    broadcasts,
    /// Messages about commands that could not be understood, or were out of date.
    malformed,
    /// Messages on cancel topics.
    cancels,
    /// Commands started.
    started,
    /// Answers handed to the connection.
    answers,
    /// Requests, broadcasts and cancels that were lost on their way; they are not among those above.
    lost_requests,
    /// Answers that were lost on their way.
    lost_answers,
    /// Shadow updates published.
    reports,
    /// Shadow delta messages, as AWS sends them.
    deltas,
    /// Their payloads' bytes.
    delta_bytes,
    /// Trimmed messages.
    trimmed,
    /// Their payloads' bytes.
    trimmed_bytes,
}
