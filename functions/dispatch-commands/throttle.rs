//! `Throttle`: limits how many executions run at once. The limit is halved when AWS throttles, and grows slowly.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The limit of concurrent executions, for all batches of a process.
#[derive(Clone, Debug)]
pub struct Throttle(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    permits: Arc<Semaphore>,
    limit: Mutex<Limit>,
}

#[derive(Debug)]
struct Limit {
    permits: usize,
    /// Executions without throttling since the limit was last changed.
    successes: usize,
}

impl Throttle {
    const MAX_CONCURRENT: usize = 144;

    /// A throttle with the largest limit.
    pub fn new() -> Self {
        let limit = Mutex::new(Limit { permits: Self::MAX_CONCURRENT, successes: 0 });
        Self(Arc::new(Inner { permits: Arc::new(Semaphore::new(Self::MAX_CONCURRENT)), limit }))
    }

    /// Waits until one more execution may start. It may run while the permit is held.
    pub async fn enter(&self) -> Option<OwnedSemaphorePermit> {
        // The semaphore is never closed, so there always is a permit.
        self.0.permits.clone().acquire_owned().await.ok()
    }

    /// Counts an execution without throttling. After as many as the limit, the limit grows by an eighth.
    pub fn increase(&self) {
        let mut limit = self.0.limit.lock().unwrap_or_else(PoisonError::into_inner);
        limit.successes += 1;
        if limit.permits < Self::MAX_CONCURRENT && limit.successes >= limit.permits {
            let more = (limit.permits / 8).max(1).min(Self::MAX_CONCURRENT - limit.permits);
            *limit = Limit { permits: limit.permits + more, successes: 0 };
            self.0.permits.add_permits(more);
        }
    }

    /// Halves the limit after AWS has throttled. Executions that ran when the limit was last halved do not halve it
    /// again.
    pub fn decrease(&self) {
        let mut limit = self.0.limit.lock().unwrap_or_else(PoisonError::into_inner);
        if limit.permits > 1 && (limit.successes > 0 || limit.permits == Self::MAX_CONCURRENT) {
            let less = limit.permits / 2;
            *limit = Limit { permits: limit.permits - less, successes: 0 };
            let permits = self.0.permits.clone();
            let forgotten = permits.forget_permits(less);
            // Permits that are in use are removed when they are returned.
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
