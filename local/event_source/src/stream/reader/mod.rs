//! The reader of one shard for one function: one batch after another.
//!
//! | module | holds |
//! |---|---|
//! | [`reading`] | from records to batches |
//! | [`delivery`] | from a batch to its function: attempts, retries, splits |

mod delivery;
mod reading;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use local_clock::Clock;
use local_faults::Faults;
use local_lambda::Lambda;
use local_resources::StreamSource;
use local_sqs::Sqs;
use local_streams::{Record, Shard};
use serde_json::Value;
use tokio::sync::watch;

use super::batch::Batch;

/// What every reader uses.
#[derive(Clone)]
pub(super) struct Dependencies {
    pub clock: Clock,
    pub lambda: Lambda,
    pub sqs: Sqs,
    pub faults: Faults,
}

/// What a reader does.
#[derive(Clone, Copy, Default)]
struct Activity {
    /// Whether a step is running.
    busy: bool,
    /// Number of steps since the start.
    steps: u64,
    /// Whether the reader's task has panicked: it makes no further step.
    panicked: bool,
}

/// Reads the records of one shard, or the share of them that their partition keys assign to it.
pub(super) struct ShardReader {
    dependencies: Dependencies,
    source: Arc<StreamSource>,
    table: String,
    function: String,
    shard: Arc<Shard>,
    /// Its number among all readers of the shard.
    reader: usize,
    /// Its number among the readers of its mapping that share the shard.
    number: u64,
    state: Mutex<State>,
    activity: watch::Sender<Activity>,
}

#[derive(Default)]
struct State {
    /// Offset of the next record to read.
    position: u64,
    /// Records that are read, but in no batch yet.
    gathered: Vec<Arc<Record>>,
    bytes: usize,
    /// Whether the next record does not fit into the batch.
    full: bool,
    /// Time at which the first of them was read.
    opened_ms: i64,
    /// Batches that are not done, in order.
    batches: VecDeque<Batch>,
    /// Start of the open tumbling window, and the function's state in it.
    window: Option<(i64, Value)>,
    /// Offset at which to continue after the current step.
    rewind: Option<u64>,
}

impl ShardReader {
    pub fn new(
        dependencies: Dependencies,
        source: Arc<StreamSource>,
        table: &str,
        shard: &Arc<Shard>,
        number: u64,
    ) -> Self {
        let (reader, position) = shard.enter(source.from_the_oldest);
        let function = source.function_arn.rsplit(':').next().unwrap_or_default().to_owned();
        let state = Mutex::new(State { position, ..State::default() });
        let (activity, shard) = (watch::Sender::default(), shard.clone());
        Self { dependencies, source, table: table.to_owned(), function, shard, reader, number, state, activity }
    }

    pub fn table(&self) -> &str {
        &self.table
    }

    /// Continues `records` before the oldest record that is not done.
    pub fn rewind(&self, records: usize) {
        self.rewind_to(self.shard.before(self.shard.checkpoint_of(self.reader), records));
        self.shard.wake();
    }

    fn rewind_to(&self, offset: u64) {
        let mut state = self.state();
        state.rewind = Some(state.rewind.map_or(offset, |earlier| earlier.min(offset)));
    }

    /// Time of the next step; a time in the past means now.
    pub fn next_ms(&self) -> Option<i64> {
        if self.shard.is_held() {
            return None;
        }
        let state = self.state();
        if let Some(batch) = state.batches.front().filter(|_| state.rewind.is_none()) {
            return Some(batch.not_before_ms.min(self.too_old_ms(batch)));
        }
        if state.rewind.is_some() || self.is_full(&state) || self.shard.has(state.position) {
            return Some(i64::MIN);
        }
        self.closes_ms(&state)
    }

    /// Returns once no step is due at the clock's present time; returns the number of steps since the start. Panics if
    /// the reader's task has panicked, which would otherwise make every caller wait for ever.
    pub async fn caught_up(&self) -> u64 {
        let is_idle = |activity: &Activity| activity.panicked || !activity.busy && !self.is_due();
        // The sender lives as long as `self`, so waiting cannot fail.
        let activity = self.activity.subscribe().wait_for(is_idle).await.map(|activity| *activity).unwrap_or_default();
        assert!(!activity.panicked, "{} has panicked", self.name());
        activity.steps
    }

    /// What [`ShardReader::caught_up`] waits for now, in one line.
    pub fn pending(&self) -> Option<String> {
        let activity = *self.activity.borrow();
        let state = match activity {
            Activity { panicked: true, .. } => "has panicked",
            Activity { busy: true, .. } => "is delivering a batch",
            _ if self.is_due() => "has records to read",
            _ => return None,
        };
        Some(format!("{} {state}", self.name()))
    }

    fn name(&self) -> String {
        let Self { table, function, shard, number, .. } = self;
        format!("reader {number} of {}, table {table}, for {function}", shard.id)
    }

    fn is_due(&self) -> bool {
        self.next_ms().is_some_and(|next_ms| next_ms <= self.dependencies.clock.now_ms())
    }

    pub async fn run(self: Arc<Self>) {
        let _guard = PanicGuard(&self.activity);
        let mut moves = self.shard.moves();
        loop {
            moves.mark_unchanged();
            match self.next_ms() {
                Some(next_ms) if next_ms <= self.dependencies.clock.now_ms() => {
                    self.activity.send_modify(|activity| activity.busy = true);
                    self.step().await;
                    self.activity.send_modify(|activity| {
                        activity.busy = false;
                        activity.steps += 1;
                    });
                }
                next_ms => tokio::select! {
                    () = self.dependencies.clock.sleep_until(next_ms.unwrap_or(i64::MAX)) => {}
                    // Waiters of `caught_up` look again: records may be held now.
                    _ = moves.changed() => self.activity.send_modify(|_| ()),
                },
            }
        }
    }

    /// Delivers the next batch, or puts it back if it has to wait.
    async fn step(&self) {
        let now_ms = self.dependencies.clock.now_ms();
        let next = self.next_batch(now_ms).and_then(|batch| self.discard_old(batch, now_ms));
        let Some(batch) = next else { return };
        let left = if batch.not_before_ms <= now_ms { self.deliver(batch).await } else { vec![batch] };
        let mut state = self.state();
        left.into_iter().rev().for_each(|batch| state.batches.push_front(batch));
        self.shard.checkpoint(self.reader, state.checkpoint());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells the callers of [`ShardReader::caught_up`] when the reader's task panics.
struct PanicGuard<'a>(&'a watch::Sender<Activity>);

impl Drop for PanicGuard<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.send_modify(|activity| activity.panicked = true);
        }
    }
}

impl State {
    /// Offset of the first record that is not done.
    fn checkpoint(&self) -> u64 {
        let pending = self.batches.iter().flat_map(|batch| &batch.records).chain(&self.gathered);
        pending.map(|record| record.offset).next().unwrap_or(self.position)
    }
}
