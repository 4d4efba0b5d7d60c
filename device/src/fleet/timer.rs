//! Wakes each simulated thing when the clock reaches its time: one wait on the clock for all of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::clock::SleepUntil;
use crate::fleet::work_counter::{WorkCounter, WorkGuard};

/// The timers that are set, each by its time in milliseconds since 1970-01-01 UTC and its thing's number.
type SetTimers = BTreeMap<(i64, usize), Arc<Signal>>;

/// Wakes one thing.
#[derive(Default)]
struct Signal {
    fired: Notify,
    /// Counts as work from the moment when the timer fires until the thing has handled it.
    guard: Mutex<Option<WorkGuard>>,
}

/// The timers of all things.
#[derive(Default)]
pub(crate) struct TimerQueue {
    timers: Mutex<SetTimers>,
    /// Notified when the earliest time has become earlier.
    changed: Notify,
    work: Arc<WorkCounter>,
}

impl TimerQueue {
    pub fn new(work: Arc<WorkCounter>) -> Self {
        Self { work, ..Self::default() }
    }

    /// Whether a timer is due and has not fired.
    pub fn is_due(&self, now_ms: i64) -> bool {
        self.lock().first_key_value().is_some_and(|((at_ms, _), _)| *at_ms <= now_ms)
    }

    /// Fires timers, for ever.
    pub async fn run(self: Arc<Self>, sleep_until: SleepUntil) {
        loop {
            let next_ms = self.lock().first_key_value().map(|((at_ms, _), _)| *at_ms);
            let due = async {
                match next_ms {
                    Some(at_ms) => sleep_until(at_ms).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => self.fire(next_ms.unwrap_or(i64::MIN)),
                () = self.changed.notified() => {}
            }
        }
    }

    /// Fires each timer up to the given time. Later ones fire in a next round, at once if the clock has passed them
    /// too: so timers fire in the order of their times even when the clock jumps.
    fn fire(&self, until_ms: i64) {
        let mut timers = self.lock();
        while let Some(entry) = timers.first_entry().filter(|entry| entry.key().0 <= until_ms) {
            // It counts as work before it leaves the queue, so that it always counts.
            let guard = self.work.start(1);
            let signal = entry.remove();
            *signal.guard() = Some(guard);
            signal.fired.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, SetTimers> {
        self.timers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Signal {
    fn guard(&self) -> MutexGuard<'_, Option<WorkGuard>> {
        self.guard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The timer of one thing.
pub(crate) struct Timer {
    queue: Arc<TimerQueue>,
    /// The thing's number: no other timer of the queue has it.
    number: usize,
    signal: Arc<Signal>,
    at_ms: Option<i64>,
}

impl Timer {
    pub fn new(queue: Arc<TimerQueue>, number: usize) -> Self {
        Self { queue, number, signal: Arc::default(), at_ms: None }
    }

    /// Replaces the time; `None` stops the timer.
    pub fn set(&mut self, at_ms: Option<i64>) {
        if self.at_ms == at_ms {
            return;
        }
        let mut timers = self.queue.lock();
        if let Some(before_ms) = std::mem::replace(&mut self.at_ms, at_ms) {
            timers.remove(&(before_ms, self.number));
        }
        if let Some(at_ms) = at_ms {
            let is_first = timers.first_key_value().is_none_or(|((first_ms, _), _)| at_ms < *first_ms);
            timers.insert((at_ms, self.number), self.signal.clone());
            drop(timers);
            if is_first {
                self.queue.changed.notify_one();
            }
        }
    }

    /// Returns when the timer fires. The thing keeps the guard until it has handled it. Cancel-safe.
    pub async fn wait(&mut self) -> Option<WorkGuard> {
        self.signal.fired.notified().await;
        self.set(None);
        self.signal.guard().take()
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.set(None);
        *self.signal.guard() = None;
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::watch;

    use super::*;

    #[tokio::test]
    async fn timers_fire_in_order_and_not_at_a_time_that_was_replaced() {
        let clock = watch::Sender::new(0);
        let watched = clock.subscribe();
        let sleep_until: SleepUntil = Arc::new(move |at_ms| {
            let mut watched = watched.clone();
            Box::pin(async move { drop(watched.wait_for(|now_ms| *now_ms >= at_ms).await) })
        });
        let queue = Arc::<TimerQueue>::default();
        tokio::spawn(queue.clone().run(sleep_until));
        let mut timers: Vec<Timer> = (0..3).map(|number| Timer::new(queue.clone(), number)).collect();
        for (timer, at_ms) in timers.iter_mut().zip([30, 10, 10]) {
            timer.set(Some(at_ms));
        }
        timers[2].set(Some(40));
        let fired = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = tokio::task::JoinSet::new();
        for mut timer in timers {
            let (fired, clock) = (fired.clone(), clock.clone());
            tasks.spawn(async move {
                drop(timer.wait().await);
                fired.lock().expect("no panic").push((timer.number, *clock.borrow()));
            });
        }
        for at_ms in [10, 30, 40] {
            clock.send_replace(at_ms);
            tasks.join_next().await.expect("a timer fires").expect("no panic");
        }
        assert_eq!(*fired.lock().expect("no panic"), [(1, 10), (0, 30), (2, 40)]);
    }

    #[tokio::test]
    async fn fired_timer_counts_as_work_until_it_is_handled() {
        let work = Arc::<WorkCounter>::default();
        let queue = Arc::new(TimerQueue::new(work.clone()));
        let mut timer = Timer::new(queue.clone(), 0);
        timer.set(Some(10));
        assert!(!queue.is_due(9) && queue.is_due(10));
        queue.fire(10);
        assert!(!queue.is_due(10));
        assert_eq!(work.count(), 1);
        let guard = timer.wait().await;
        assert_eq!(work.count(), 1);
        drop(guard);
        assert_eq!(work.count(), 0);
    }
}
