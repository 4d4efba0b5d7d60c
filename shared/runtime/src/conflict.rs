//! The retry policy for lost conditional writes.
//!
//! A conditional write is lost when another writer changed the item after it was read. The loser reads the item again,
//! decides again, and writes again. Writers that lost against each other must not return in step, so the wait is
//! random.

use std::{fmt::Display, time::Duration};

use aws::Error;

/// The retries after the first try; the write that is lost after the last one becomes an error.
pub const MAX_CONFLICT_RETRIES: u32 = 8;

/// The longest wait before the second retry, in milliseconds. It doubles with each further retry; the first retry does
/// not wait.
const BASE_MILLIS: u64 = 10;

/// The longest wait before any retry, in milliseconds.
const CAP_MILLIS: u64 = 320;

/// The retries of one conditional write.
///
/// ```
/// # use runtime::conflict::ConflictRetries;
/// # async fn write_if_unchanged() -> bool { true }
/// # async fn count_visit() -> Result<(), aws::Error> {
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
    operation: &'static str,
    key: K,
    lost: u32,
}

impl<K: Display> ConflictRetries<K> {
    /// The retries of an operation on an item, such as "claiming an execution" on the execution's key. Both are shown
    /// in the error.
    pub fn new(operation: &'static str, key: K) -> Self {
        Self { operation, key, lost: 0 }
    }

    /// Counts a lost write, and waits until it may be tried again. All waits together take less than 1.3 seconds.
    ///
    /// # Errors
    /// The error of a conflict, once the write was lost [`MAX_CONFLICT_RETRIES`] times and once more.
    pub async fn wait(&mut self) -> Result<(), Error> {
        self.lost += 1;
        if self.lost > MAX_CONFLICT_RETRIES {
            return Err(Error::conflict(self.operation, &self.key, self.lost));
        }
        let longest = longest_wait_millis(self.lost);
        if longest > 0 {
            tokio::time::sleep(Duration::from_millis(fastrand::u64(1..=longest))).await;
        }
        Ok(())
    }
}

/// The longest wait before a retry, in milliseconds. `retry` is 1 for the first one.
fn longest_wait_millis(retry: u32) -> u64 {
    match retry {
        0 | 1 => 0,
        retry => CAP_MILLIS.min(BASE_MILLIS << (retry - 2).min(16)),
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn first_retry_does_not_wait_and_the_last_lost_write_is_an_error() {
        let start = Instant::now();
        let mut retries = ConflictRetries::new("claiming an execution", "pump-7/1");
        retries.wait().await.expect("a retry");
        assert_eq!(start.elapsed(), Duration::ZERO);
        for _ in 1..MAX_CONFLICT_RETRIES {
            retries.wait().await.expect("a retry");
        }
        let error = retries.wait().await.expect_err("too many");
        assert!(error.is_retryable());
        let text = error.to_string();
        assert!(text.contains("claiming an execution (pump-7/1)"), "{text}");
        assert!(text.contains("lost to other writers 9 times") && text.contains("retry is safe"), "{text}");
        assert!(start.elapsed() < Duration::from_millis(1_300), "{:?}", start.elapsed());
    }

    #[test]
    fn longest_waits_double_up_to_the_cap() {
        let waits: Vec<u64> = (1..=MAX_CONFLICT_RETRIES).map(longest_wait_millis).collect();
        assert_eq!(waits, [0, 10, 20, 40, 80, 160, 320, 320]);
        assert!(waits.iter().sum::<u64>() < 1_300);
    }
}
