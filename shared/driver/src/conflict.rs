//! The retries of a conditional write that is lost to other writers.

use std::fmt::Display;

use calls::{Calls, Error, LostWrites};

/// The retries of one conditional write.
#[derive(Debug)]
pub struct ConflictRetries<'a, C, K> {
    calls: &'a C,
    lost: LostWrites<K>,
}

impl<'a, C: Calls, K: Display> ConflictRetries<'a, C, K> {
    /// See [`LostWrites::new`].
    pub(crate) fn new(calls: &'a C, operation: &'static str, key: K) -> Self {
        Self { calls, lost: LostWrites::new(operation, key) }
    }

    /// Counts a lost write, and waits until it may be tried again.
    ///
    /// # Errors
    /// The error of a conflict, once the write was lost as often as the retry policy allows.
    pub async fn wait(&mut self) -> Result<(), Error> {
        let longest = self.lost.add(C::MAX_CONFLICT_RETRIES)?;
        self.calls.pause(longest).await;
        Ok(())
    }
}
