//! The clock that devices read: a function, so that tests can move it.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Reads the time, in milliseconds since 1970-01-01 UTC.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Waits until a clock shows the given time or a later one, in milliseconds since 1970-01-01 UTC.
pub type SleepUntil = Arc<dyn Fn(i64) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// Real time between two readings of a clock that is polled. The clock may jump while a poller sleeps.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// The operating system's clock.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
    })
}

/// Waits by polling: for a clock that gives no notice when it moves.
pub(crate) fn poll(clock: Clock) -> SleepUntil {
    Arc::new(move |at_ms| {
        let clock = clock.clone();
        Box::pin(async move {
            while let left @ 1.. = at_ms.saturating_sub(clock()) {
                tokio::time::sleep(Duration::from_millis(left.unsigned_abs()).min(POLL_INTERVAL)).await;
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn polling_ends_when_the_clock_reaches_the_time() {
        let start = std::time::Instant::now();
        let clock: Clock = Arc::new(move || i64::try_from(start.elapsed().as_millis()).unwrap_or(i64::MAX));
        poll(clock.clone())(20).await;
        assert!(clock() >= 20);
    }
}
