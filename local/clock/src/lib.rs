//! One clock for every service of the stack: it follows the system's clock, or stands still until a test moves it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

/// A handle on the stack's clock; clones share it.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Kind>);

#[derive(Debug)]
enum Kind {
    System { offset_ms: Mutex<i64>, moved: watch::Sender<()> },
    Manual(watch::Sender<i64>),
}

impl Clock {
    /// A clock that follows the system's; [`Clock::advance`] adds an offset.
    pub fn system() -> Self {
        Self(Arc::new(Kind::System { offset_ms: Mutex::new(0), moved: watch::Sender::new(()) }))
    }

    /// A clock that stands at `epoch_ms` (milliseconds since 1970) until it is advanced.
    pub fn manual(epoch_ms: i64) -> Self {
        Self(Arc::new(Kind::Manual(watch::Sender::new(epoch_ms))))
    }

    /// Whether the clock stands still until it is advanced.
    pub fn stands(&self) -> bool {
        matches!(&*self.0, Kind::Manual(_))
    }

    /// Milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        match &*self.0 {
            Kind::System { offset_ms, .. } => system_ms() + *offset_ms.lock().unwrap_or_else(|e| e.into_inner()),
            Kind::Manual(now) => *now.borrow(),
        }
    }

    /// Whole seconds since 1970, rounded down.
    pub fn now_s(&self) -> i64 {
        self.now_ms().div_euclid(1000)
    }

    /// Moves the clock forward, and wakes every sleeper that is due by then.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        match &*self.0 {
            Kind::System { offset_ms, moved } => {
                let mut offset = offset_ms.lock().unwrap_or_else(|e| e.into_inner());
                *offset = offset.saturating_add(by);
                drop(offset);
                moved.send_replace(());
            }
            Kind::Manual(now) => now.send_modify(|now| *now = now.saturating_add(by)),
        }
    }

    /// Returns once the clock shows `epoch_ms` or later.
    pub async fn sleep_until(&self, epoch_ms: i64) {
        match &*self.0 {
            Kind::System { moved, .. } => {
                let mut moved = moved.subscribe();
                loop {
                    let left = epoch_ms - self.now_ms();
                    if left <= 0 {
                        return;
                    }
                    let left = Duration::from_millis(left.unsigned_abs());
                    tokio::select! {
                        () = tokio::time::sleep(left) => {}
                        _ = moved.changed() => {}
                    }
                }
            }
            Kind::Manual(now) => {
                // The sender lives as long as this clock, so waiting cannot fail.
                let _ = now.subscribe().wait_for(|now| *now >= epoch_ms).await;
            }
        }
    }

    /// The future's output; `None` if the clock moves forward by `limit` before the future completes.
    pub async fn timeout<T>(&self, limit: Duration, future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            output = future => Some(output),
            () = self.sleep(limit) => None,
        }
    }

    /// Returns once the clock has moved forward by `duration`.
    pub async fn sleep(&self, duration: Duration) {
        let duration = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        self.sleep_until(self.now_ms().saturating_add(duration)).await;
    }
}

fn system_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn manual_clock_stands_still_until_it_is_moved() {
        let clock = Clock::manual(1_000);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(Duration::from_secs(60)).await }
        });
        tokio::task::yield_now().await;
        assert_eq!(clock.now_ms(), 1_000);
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(60));
        sleeper.await.expect("woken");
        assert_eq!(clock.now_s(), 61);
    }

    #[tokio::test]
    async fn timeout_passes_when_the_clock_has_moved_by_the_limit() {
        let clock = Clock::manual(1_000);
        let waiting = tokio::spawn({
            let clock = clock.clone();
            async move { clock.timeout(Duration::from_secs(60), std::future::pending::<()>()).await }
        });
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(59));
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        clock.advance(Duration::from_secs(1));
        assert_eq!(waiting.await.expect("ended"), None);
        assert_eq!(clock.timeout(Duration::ZERO, async { 7 }).await, Some(7), "a complete future is first");
    }

    #[tokio::test]
    async fn jump_of_the_system_clock_wakes_its_sleepers() {
        let clock = Clock::system();
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(Duration::from_secs(3_600)).await }
        });
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(3_601));
        sleeper.await.expect("woken");
    }
}
