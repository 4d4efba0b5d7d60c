//! The counts of a running fleet.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A counter that the tasks of all things share.
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
    /// Connections made; more than the number of things when some were lost.
    connects,
    /// Messages on request topics, repeated ones included.
    requests,
    /// Messages on topics of broadcasts, counted at each thing that received one, repeated ones included.
    broadcasts,
    /// Messages about commands that were malformed or outdated.
    malformed,
    /// Messages on cancel topics.
    cancels,
    /// Commands started.
    started,
    /// Reports handed to the connection.
    reports,
    /// Requests, broadcasts and cancel notices lost on their way to a thing. The counts above do not include them.
    lost_requests,
    /// Reports lost on their way from a thing.
    lost_reports,
    /// Updates of classic shadows published.
    shadow_updates,
    /// Delta messages of the shadow service received.
    deltas,
    /// The payloads of these delta messages, in bytes.
    delta_bytes,
    /// Trimmed messages received.
    trimmed,
    /// The payloads of these trimmed messages, in bytes.
    trimmed_bytes,
}
