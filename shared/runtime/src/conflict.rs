//! Waits between the tries of a conditional write that was lost to other writers.

use std::{fmt::Display, time::Duration};

use calls::{Error, LostWrites, MAX_CONFLICT_RETRIES};

/// The retries of one conditional write.
///
/// ```
/// # use runtime::conflict::ConflictRetries;
/// # async fn write_if_unchanged() -> bool { true }
/// # async fn count_visit() -> Result<(), calls::Error> {
/// let mut retries = ConflictRetries::new("counting a visit", "pump-7");
/// loop {
///     if write_if_unchanged().await {
///         return Ok(());
///     }
///     retries.wait().await?;
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct ConflictRetries<K> {
    lost: LostWrites<K>,
}

impl<K: Display> ConflictRetries<K> {
    /// The retries of an operation on an item, such as "claiming an execution" on the execution's key. Both are shown
    /// in the error.
    pub fn new(operation: &'static str, key: K) -> Self {
        Self { lost: LostWrites::new(operation, key) }
    }

    /// Counts a lost write, and waits until it may be tried again. All waits together take less than 1.3 seconds.
    ///
    /// # Errors
    /// The error of a conflict, once the write was lost [`MAX_CONFLICT_RETRIES`] times and once more.
    pub async fn wait(&mut self) -> Result<(), Error> {
        pause(self.lost.add(MAX_CONFLICT_RETRIES)?).await;
        Ok(())
    }
}

/// Waits for at most this long, at random; not at all if it is less than a millisecond.
pub(crate) async fn pause(longest: Duration) {
    let millis = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
    if millis > 0 {
        tokio::time::sleep(Duration::from_millis(fastrand::u64(1..=millis))).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn first_retry_does_not_wait_and_all_waits_together_are_short() {
        let start = Instant::now();
        let mut retries = ConflictRetries::new("claiming an execution", "pump-7/1");
        retries.wait().await.expect("a retry");
        assert_eq!(start.elapsed(), Duration::ZERO);
        for _ in 1..MAX_CONFLICT_RETRIES {
            retries.wait().await.expect("a retry");
        }
        assert!(retries.wait().await.expect_err("too many").is_retryable());
        let waited = start.elapsed();
        assert!(waited > Duration::ZERO && waited < Duration::from_millis(1_300), "{waited:?}");
    }
}
