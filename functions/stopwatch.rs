//! How long something has taken. The one look at a clock in all functions, and only at how far it has gone on: what time it is says the
//! event.

use tokio::time::Instant;

/// Since when.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Since now.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// For how many whole seconds.
    pub fn seconds(self) -> u32 {
        u32::try_from(self.0.elapsed().as_secs()).unwrap_or(u32::MAX)
    }
}
