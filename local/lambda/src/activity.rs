//! Counts what runs and what is ready to run, so that tests can wait for stillness without sleeping.

use std::collections::BTreeSet;
use std::sync::Arc;

use local_clock::Clock;
use tokio::sync::watch;

/// The count; clones share it.
#[derive(Clone)]
pub(super) struct Activity {
    clock: Clock,
    state: Arc<watch::Sender<State>>,
}

#[derive(Default)]
struct State {
    busy: usize,
    /// Work that waits for the clock: when it is due, and a number that tells equals apart.
    waiting: BTreeSet<(i64, u64)>,
    next: u64,
}

impl Activity {
    pub fn new(clock: Clock) -> Self {
        Self { clock, state: Arc::default() }
    }

    /// Counts a piece of work until the guard is dropped.
    pub fn enter(&self) -> Busy {
        self.state.send_modify(|state| state.busy += 1);
        Busy { activity: self.clone(), waiting: None }
    }

    /// Returns once nothing runs and nothing that waited is due at the clock's present time: work whose time has come
    /// counts from that moment, not from when its task wakes up.
    pub async fn idle(&self) {
        let mut state = self.state.subscribe();
        let still = |state: &State| state.busy == 0 && state.waiting.first().is_none_or(|w| w.0 > self.clock.now_ms());
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = state.wait_for(still).await;
    }
}

/// A piece of work that is running or ready to run.
pub(super) struct Busy {
    activity: Activity,
    waiting: Option<(i64, u64)>,
}

impl Busy {
    /// Waits for the clock; until then the work does not count.
    pub async fn sleep_until(&mut self, due_ms: i64) {
        self.activity.state.send_modify(|state| {
            let entry = (due_ms, state.next);
            state.next += 1;
            state.busy -= 1;
            state.waiting.insert(entry);
            self.waiting = Some(entry);
        });
        self.activity.clock.sleep_until(due_ms).await;
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(entry) = self.waiting.take() {
            self.activity.state.send_modify(|state| {
                state.waiting.remove(&entry);
                state.busy += 1;
            });
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.wake();
        self.activity.state.send_modify(|state| state.busy -= 1);
    }
}
