//! Counts what the things of a fleet have in hand, so that a test can wait until they are idle.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// The count, over all things of a fleet.
#[derive(Debug, Default)]
pub(crate) struct WorkCounter(AtomicUsize);

impl WorkCounter {
    pub fn count(&self) -> usize {
        self.0.load(SeqCst)
    }

    /// Adds `count` until the guard is dropped.
    pub fn start(self: &Arc<Self>, count: usize) -> WorkGuard {
        self.0.fetch_add(count, SeqCst);
        WorkGuard { counter: self.clone(), count }
    }
}

/// The part of the count that belongs to one thing.
pub(crate) struct WorkGuard {
    counter: Arc<WorkCounter>,
    count: usize,
}

impl WorkGuard {
    /// Replaces the part of the count.
    pub fn set(&mut self, count: usize) {
        // Added first: the count must not be 0 in between, as 0 means that every thing is idle.
        self.counter.0.fetch_add(count, SeqCst);
        self.counter.0.fetch_sub(self.count, SeqCst);
        self.count = count;
    }
}

impl Drop for WorkGuard {
    fn drop(&mut self) {
        self.counter.0.fetch_sub(self.count, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn count_is_the_sum_of_the_guards() {
        let counter = Arc::<WorkCounter>::default();
        let (mut first, second) = (counter.start(0), counter.start(1));
        first.set(3);
        assert_eq!(counter.count(), 4);
        drop(second);
        first.set(2);
        assert_eq!(counter.count(), 2);
        drop(first);
        assert_eq!(counter.count(), 0);
    }
}
