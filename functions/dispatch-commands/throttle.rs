//! `Throttle`: limits how many executions run at once. The limit begins low and doubles with each round; it is halved when
//! AWS throttles or the table is slow, and grows slowly after that. Many functions begin at the same time: with a high
//! limit, all of them together would make the table so slow that what they have begun comes too late.

use std::sync::{Arc, Mutex, PoisonError};

use driver::batch_thing::Load;
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
    /// Whether it has never been halved.
    is_starting: bool,
    /// Executions that have ended without throttling since the limit has grown.
    successes: usize,
    /// Executions that ran when the limit was last halved and have not ended yet: these do not halve it again.
    left_of_halving: usize,
}

impl Limit {
    /// Counts an end without throttling. Returns by how much the limit grows: by one for each while it starts, else by
    /// an eighth after as many as the limit.
    fn count_success(&mut self) -> usize {
        self.left_of_halving = self.left_of_halving.saturating_sub(1);
        self.successes += 1;
        let more = match self.is_starting {
            true => 1,
            false if self.successes >= self.permits => (self.permits / 8).max(1),
            false => return 0,
        };
        let more = more.min(Throttle::MAX_CONCURRENT - self.permits);
        (self.permits, self.successes) = (self.permits + more, 0);
        more
    }

    /// Counts an end with throttling or slowness. Returns by how much the limit is lowered, to `least` at the lowest.
    fn count_failure(&mut self, least: usize) -> usize {
        if self.left_of_halving > 0 {
            self.left_of_halving -= 1;
            return 0;
        }
        let less = (self.permits / 2).min(self.permits.saturating_sub(least));
        *self = Self {
            permits: self.permits - less,
            is_starting: false,
            successes: 0,
            // This one has ended.
            left_of_halving: self.permits.saturating_sub(1),
        };
        less
    }
}

impl Throttle {
    const MAX_CONCURRENT: usize = 144;
    const INITIAL: usize = 16;

    /// A throttle with the initial limit.
    pub fn new() -> Self {
        let limit = Limit { permits: Self::INITIAL, is_starting: true, successes: 0, left_of_halving: 0 };
        Self(Arc::new(Inner { permits: Arc::new(Semaphore::new(Self::INITIAL)), limit: Mutex::new(limit) }))
    }

    /// Waits until one more execution may start. It may run while the permit is held.
    pub async fn enter(&self) -> Option<OwnedSemaphorePermit> {
        // The semaphore is never closed, so there always is a permit.
        self.0.permits.clone().acquire_owned().await.ok()
    }

    /// Counts an execution that has ended, and changes the limit by what it has shown.
    pub fn count(&self, load: Load) {
        let mut limit = self.0.limit.lock().unwrap_or_else(PoisonError::into_inner);
        match load {
            Load::Normal => self.0.permits.add_permits(limit.count_success()),
            // A table may be slow for another reason than the load: so few at a time do not make it slower.
            Load::Slow => self.remove_permits(limit.count_failure(Self::INITIAL)),
            Load::Throttled => self.remove_permits(limit.count_failure(1)),
        }
    }

    fn remove_permits(&self, count: usize) {
        let permits = self.0.permits.clone();
        let forgotten = permits.forget_permits(count);
        // Permits that are in use are removed when they are returned.
        if forgotten < count {
            let left = u32::try_from(count - forgotten).unwrap_or(u32::MAX);
            tokio::spawn(async move {
                if let Ok(permit) = permits.acquire_many(left).await {
                    permit.forget();
                }
            });
        }
    }
}

impl Default for Throttle {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(throttle: &Throttle) -> usize {
        throttle.0.limit.lock().unwrap().permits
    }

    fn succeed(throttle: &Throttle, times: usize) -> usize {
        (0..times).for_each(|_| throttle.count(Load::Normal));
        limit(throttle)
    }

    #[test]
    fn limit_doubles_with_each_round_until_it_is_reached() {
        let throttle = Throttle::new();
        let rounds = [16, 32, 64, 128].map(|round| succeed(&throttle, round));
        assert_eq!(rounds, [32, 64, 128, 144]);
        assert_eq!((succeed(&throttle, 1_000), throttle.0.permits.available_permits()), (144, 144));
    }

    #[tokio::test]
    async fn limit_is_halved_once_for_all_that_ran_at_that_time_and_again_for_those_after() {
        let throttle = Throttle::new();
        succeed(&throttle, 240);
        let fail = |times: usize| {
            (0..times).for_each(|_| throttle.count(Load::Throttled));
            limit(&throttle)
        };
        assert_eq!([fail(1), fail(143), fail(1), fail(71)], [72, 72, 36, 36]);
        assert_eq!([fail(36), fail(18), fail(9), fail(5), fail(9)], [18, 9, 5, 3, 1]);
        assert_eq!(succeed(&throttle, 1), 2, "by an eighth, and by one at least");
        assert!(succeed(&throttle, 200) > 8);
        assert_eq!(throttle.0.permits.available_permits(), limit(&throttle));
    }

    #[tokio::test]
    async fn limit_is_lowered_to_its_initial_value_where_a_table_is_slow() {
        let throttle = Throttle::new();
        succeed(&throttle, 240);
        (0..1_000).for_each(|_| throttle.count(Load::Slow));
        assert_eq!(limit(&throttle), Throttle::INITIAL);
        (0..100).for_each(|_| throttle.count(Load::Throttled));
        (0..100).for_each(|_| throttle.count(Load::Slow));
        assert_eq!(limit(&throttle), 1, "it is not raised either");
    }

    #[tokio::test]
    async fn permits_in_use_are_not_given_back_after_a_halving() {
        let throttle = Throttle::new();
        let mut held = Vec::new();
        for _ in 0..16 {
            held.push(throttle.enter().await);
        }
        throttle.count(Load::Throttled);
        held.truncate(8);
        tokio::task::yield_now().await;
        assert_eq!(throttle.0.permits.available_permits(), 0, "eight still run");
        drop(held);
        tokio::task::yield_now().await;
        assert_eq!(throttle.0.permits.available_permits(), 8);
    }
}
