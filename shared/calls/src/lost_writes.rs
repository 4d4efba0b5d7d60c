//! The retry policy for lost conditional writes.
//!
//! A conditional write is lost when another writer changed the item after it was read. The loser reads the item again,
//! decides again, and writes again. Writers that lost against each other must not return in step, so the wait is
//! random.

use std::{fmt::Display, time::Duration};

use crate::error::Error;

/// The retries after the first try; the write that is lost after the last one becomes an error.
pub const MAX_CONFLICT_RETRIES: u32 = 8;

/// The longest wait before the second retry, in milliseconds. It doubles with each further retry; the first retry does
/// not wait.
const BASE_MILLIS: u64 = 10;

/// The longest wait before any retry, in milliseconds.
const CAP_MILLIS: u64 = 320;

/// How often one conditional write was lost.
#[derive(Clone, Debug)]
pub struct LostWrites<K> {
    operation: &'static str,
    key: K,
    lost: u32,
}

impl<K: Display> LostWrites<K> {
    /// None yet. The operation and the key of the item are shown in the error, such as "claiming an execution" and the
    /// execution's key.
    pub fn new(operation: &'static str, key: K) -> Self {
        Self { operation, key, lost: 0 }
    }

    /// Counts a lost write. Returns the longest wait before it may be tried again; all of them together are less than
    /// 1.3 seconds.
    ///
    /// # Errors
    /// The error of a conflict, once the write was lost `max_retries` times and once more.
    pub fn add(&mut self, max_retries: u32) -> Result<Duration, Error> {
        self.lost += 1;
        if self.lost > max_retries {
            return Err(Error::conflict(self.operation, &self.key, self.lost));
        }
        Ok(longest_wait(self.lost))
    }
}

/// The longest wait before a retry. `retry` is 1 for the first one.
fn longest_wait(retry: u32) -> Duration {
    Duration::from_millis(match retry {
        0 | 1 => 0,
        retry => CAP_MILLIS.min(BASE_MILLIS << (retry - 2).min(16)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn write_that_is_lost_after_the_last_retry_is_an_error() {
        let mut lost = LostWrites::new("claiming an execution", "pump-7/1");
        for _ in 0..MAX_CONFLICT_RETRIES {
            lost.add(MAX_CONFLICT_RETRIES).expect("a retry");
        }
        let error = lost.add(MAX_CONFLICT_RETRIES).expect_err("too many");
        assert!(error.is_retryable());
        let text = error.to_string();
        assert!(text.contains("claiming an execution (pump-7/1)"), "{text}");
        assert!(text.contains("lost to other writers 9 times") && text.contains("retry is safe"), "{text}");
    }

    #[test]
    fn first_retry_does_not_wait_and_the_longest_waits_double_up_to_the_cap() {
        let waits: Vec<u128> = (1..=MAX_CONFLICT_RETRIES).map(|retry| longest_wait(retry).as_millis()).collect();
        assert_eq!(waits, [0, 10, 20, 40, 80, 160, 320, 320]);
        assert!(waits.iter().sum::<u128>() < 1_300);
    }
}
