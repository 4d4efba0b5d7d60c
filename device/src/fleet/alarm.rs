//! Wakes each thing when the injected clock shows its time: one look at the clock for all of them.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::Now;

/// Returns once the injected clock shows a time, or later.
pub type SleepUntil = Arc<dyn Fn(i64) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// The injected clock may jump while all sleep, so it is looked at this often.
const LOOK: Duration = Duration::from_millis(100);

/// For a clock that tells nobody when it moves.
pub(crate) fn looking_at(now: Now) -> SleepUntil {
    Arc::new(move |at_ms| {
        let now = now.clone();
        Box::pin(async move {
            while let left @ 1.. = at_ms.saturating_sub(now()) {
                tokio::time::sleep(Duration::from_millis(left.unsigned_abs()).min(LOOK)).await;
            }
        })
    })
}

/// Who wants to be woken when.
#[derive(Default)]
pub(crate) struct Alarm {
    set: Mutex<BTreeMap<(i64, usize), Arc<Notify>>>,
    changed: Notify,
}

impl Alarm {
    /// Wakes sleepers, for ever.
    pub async fn run(self: Arc<Self>, sleep_until: SleepUntil) {
        loop {
            let next = self.locked().first_key_value().map(|((at_ms, _), _)| *at_ms);
            let due = async {
                match next {
                    Some(at_ms) => sleep_until(at_ms).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => self.ring(next.unwrap_or(i64::MIN)),
                () = self.changed.notified() => {}
            }
        }
    }

    /// Whoever is due later is woken in the next round, at once if the clock has come that far.
    fn ring(&self, until_ms: i64) {
        let mut set = self.locked();
        while let Some(entry) = set.first_entry().filter(|entry| entry.key().0 <= until_ms) {
            entry.remove().notify_one();
        }
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<(i64, usize), Arc<Notify>>> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One thing's alarm.
pub(crate) struct Sleeper {
    alarm: Arc<Alarm>,
    /// Its own.
    number: usize,
    bell: Arc<Notify>,
    at_ms: Option<i64>,
}

impl Sleeper {
    pub fn new(alarm: Arc<Alarm>, number: usize) -> Self {
        Self { alarm, number, bell: Arc::default(), at_ms: None }
    }

    /// Sets the alarm to this time, and no other.
    pub fn set(&mut self, at_ms: Option<i64>) {
        if self.at_ms == at_ms {
            return;
        }
        let mut set = self.alarm.locked();
        if let Some(before_ms) = std::mem::replace(&mut self.at_ms, at_ms) {
            set.remove(&(before_ms, self.number));
        }
        if let Some(at_ms) = at_ms {
            let is_first = set.first_key_value().is_none_or(|((first_ms, _), _)| at_ms < *first_ms);
            set.insert((at_ms, self.number), self.bell.clone());
            drop(set);
            if is_first {
                self.alarm.changed.notify_one();
            }
        }
    }

    /// Returns when it rings. Safe to cancel.
    pub async fn rings(&mut self) {
        self.bell.notified().await;
        self.set(None);
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.set(None);
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::watch;

    use super::*;

    #[tokio::test]
    async fn each_is_woken_in_its_time_and_not_at_the_time_that_it_had_before() {
        let clock = watch::Sender::new(0);
        let watched = clock.subscribe();
        let sleep_until: SleepUntil = Arc::new(move |at_ms| {
            let mut watched = watched.clone();
            Box::pin(async move { drop(watched.wait_for(|now_ms| *now_ms >= at_ms).await) })
        });
        let alarm = Arc::<Alarm>::default();
        tokio::spawn(alarm.clone().run(sleep_until));
        let mut sleepers: Vec<Sleeper> = (0..3).map(|number| Sleeper::new(alarm.clone(), number)).collect();
        for (sleeper, at_ms) in sleepers.iter_mut().zip([30, 10, 10]) {
            sleeper.set(Some(at_ms));
        }
        sleepers[2].set(Some(40));
        let next = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = tokio::task::JoinSet::new();
        for mut sleeper in sleepers {
            let (next, clock) = (next.clone(), clock.clone());
            tasks.spawn(async move {
                sleeper.rings().await;
                next.lock().expect("no panic").push((sleeper.number, *clock.borrow()));
            });
        }
        for at_ms in [10, 30, 40] {
            clock.send_replace(at_ms);
            tasks.join_next().await.expect("one is woken").expect("no panic");
        }
        assert_eq!(*next.lock().expect("no panic"), [(1, 10), (0, 30), (2, 40)]);
    }

    #[tokio::test]
    async fn a_clock_that_tells_nobody_is_looked_at() {
        let began = std::time::Instant::now();
        let now: Now = Arc::new(move || i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX));
        looking_at(now.clone())(20).await;
        assert!(now() >= 20);
    }
}
