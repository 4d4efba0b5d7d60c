//! Counts the invokes that run or are ready to run, so that tests can wait until none is left and can list those that
//! are.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

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
    /// Invokes that run or are ready to run, by number, in order of arrival.
    busy: BTreeMap<u64, Invoke>,
    /// Invokes that wait for the clock: due time in milliseconds since 1970, and number.
    waiting: BTreeSet<(i64, u64)>,
    next: u64,
}

/// An invoke that runs or is ready to run.
struct Invoke {
    function: String,
    stage: &'static str,
    /// Start of this stage, in real time.
    since: Instant,
}

impl Activity {
    pub fn new(clock: Clock) -> Self {
        Self { clock, state: Arc::default() }
    }

    /// Counts an invoke until the guard is dropped.
    pub fn enter(&self, function: &str) -> Busy {
        let mut number = 0;
        self.state.send_modify(|state| {
            number = state.next;
            state.next += 1;
            state.busy.insert(number, Invoke::new(function, FIRST_STAGE));
        });
        Busy { activity: self.clone(), function: function.to_owned(), number, waiting: None }
    }

    /// Returns once no invoke runs and no waiting invoke is due at the clock's present time. A waiting invoke counts
    /// from its due time on, even if its task has not woken up yet.
    pub async fn idle(&self) {
        let mut state = self.state.subscribe();
        let is_idle =
            |state: &State| state.busy.is_empty() && state.waiting.first().is_none_or(|w| w.0 > self.clock.now_ms());
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = state.wait_for(is_idle).await;
    }

    /// The invokes that [`Activity::idle`] waits for, one line each.
    pub fn pending(&self) -> Vec<String> {
        let now_ms = self.clock.now_ms();
        let state = self.state.borrow();
        let busy = state.busy.values().map(Invoke::to_string);
        let due = state.waiting.iter().filter(|(due_ms, _)| *due_ms <= now_ms);
        busy.chain(due.map(|(due_ms, _)| format!("an event is due since {due_ms} ms, and its task has not woken up")))
            .collect()
    }
}

/// Initial stage of an invoke, and its stage after a wait for the clock.
const FIRST_STAGE: &str = "waits for a permit";

impl Invoke {
    fn new(function: &str, stage: &'static str) -> Self {
        Self { function: function.to_owned(), stage, since: Instant::now() }
    }
}

impl fmt::Display for Invoke {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an invoke of {} {} (for {:.1?})", self.function, self.stage, self.since.elapsed())
    }
}

/// Guard that counts an invoke as running or ready to run.
pub(super) struct Busy {
    activity: Activity,
    function: String,
    number: u64,
    /// Due time in milliseconds since 1970, while the invoke waits for the clock.
    waiting: Option<i64>,
}

impl Busy {
    /// Sets the stage of the invoke that [`Activity::pending`] shows. Does not wake the waiters of [`Activity::idle`].
    pub fn stage(&self, stage: &'static str) {
        self.activity.state.send_if_modified(|state| {
            if let Some(invoke) = state.busy.get_mut(&self.number) {
                (invoke.stage, invoke.since) = (stage, Instant::now());
            }
            false
        });
    }

    /// Waits for the clock; the invoke does not count until then.
    pub async fn sleep_until(&mut self, due_ms: i64) {
        self.activity.state.send_modify(|state| {
            state.busy.remove(&self.number);
            state.waiting.insert((due_ms, self.number));
        });
        self.waiting = Some(due_ms);
        self.activity.clock.sleep_until(due_ms).await;
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(due_ms) = self.waiting.take() {
            self.activity.state.send_modify(|state| {
                state.waiting.remove(&(due_ms, self.number));
                state.busy.insert(self.number, Invoke::new(&self.function, FIRST_STAGE));
            });
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.wake();
        self.activity.state.send_modify(|state| drop(state.busy.remove(&self.number)));
    }
}
