//! How much is under way at once: half as much whenever the cloud says that it is too much, and slowly more again.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A limit on what is under way, for all batches of a process.
#[derive(Clone, Debug)]
pub struct Throttle(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    permits: Arc<Semaphore>,
    rate: Mutex<Rate>,
}

#[derive(Debug)]
struct Rate {
    limit: usize,
    /// Since the limit was last changed.
    good: usize,
}

impl Throttle {
    /// So much is under way at most.
    const MOST: usize = 144;

    /// The limit before anything is known.
    pub fn new() -> Self {
        let rate = Mutex::new(Rate { limit: Self::MOST, good: 0 });
        Self(Arc::new(Inner { permits: Arc::new(Semaphore::new(Self::MOST)), rate }))
    }

    /// Waits until there is room for one more.
    pub async fn enter(&self) -> Option<OwnedSemaphorePermit> {
        // It is never closed.
        self.0.permits.clone().acquire_owned().await.ok()
    }

    /// Takes note that one went well: after as many as there is room for, there is room for one in eight more.
    pub fn went_well(&self) {
        let mut rate = self.0.rate.lock().unwrap_or_else(PoisonError::into_inner);
        rate.good += 1;
        if rate.limit < Self::MOST && rate.good >= rate.limit {
            let more = (rate.limit / 8).max(1).min(Self::MOST - rate.limit);
            *rate = Rate { limit: rate.limit + more, good: 0 };
            self.0.permits.add_permits(more);
        }
    }

    /// Takes note that it was too much. What was under way already when the limit was last halved says nothing new.
    pub fn was_too_much(&self) {
        let mut rate = self.0.rate.lock().unwrap_or_else(PoisonError::into_inner);
        if rate.limit > 1 && (rate.good > 0 || rate.limit == Self::MOST) {
            let less = rate.limit / 2;
            *rate = Rate { limit: rate.limit - less, good: 0 };
            // Those that are in use are given up when they come back.
            let permits = self.0.permits.clone();
            let forgotten = permits.forget_permits(less);
            if forgotten < less {
                let left = u32::try_from(less - forgotten).unwrap_or(u32::MAX);
                tokio::spawn(async move {
                    if let Ok(permit) = permits.acquire_many(left).await {
                        permit.forget();
                    }
                });
            }
        }
    }
}

impl Default for Throttle {
    fn default() -> Self {
        Self::new()
    }
}
