//! One reader of one shard: one batch after another, each until it is settled what becomes of it.
//!
//! | file | holds |
//! |---|---|
//! | [`reading`] | from records to batches |
//! | [`handing`] | from a batch to its function, again and again |

mod handing;
mod reading;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::watch;

use super::batch::Batch;
use super::record::Record;
use super::shard::Shard;
use crate::clock::Clock;
use crate::faults::Faults;
use crate::lambda::Lambda;
use crate::sqs::Sqs;
use crate::template::StreamSource;

/// What a lane works with.
#[derive(Clone)]
pub(super) struct Tools {
    pub clock: Clock,
    pub lambda: Lambda,
    pub sqs: Sqs,
    pub faults: Faults,
}

/// What a lane has done so far, and whether it is about to do more.
#[derive(Clone, Copy, Default)]
struct Turn {
    busy: bool,
    done: u64,
}

/// A reader of the records of one shard, or of those whose partition keys fall to it.
pub(super) struct Lane {
    tools: Tools,
    source: Arc<StreamSource>,
    table: String,
    function: String,
    shard: Arc<Shard>,
    /// Its number among the shard's readers.
    reader: usize,
    /// Its number among those that share the shard.
    number: u64,
    state: Mutex<State>,
    turn: watch::Sender<Turn>,
}

#[derive(Default)]
struct State {
    /// The offset of the first record that was not read.
    position: u64,
    /// What was read and belongs to no batch yet.
    gathered: Vec<Arc<Record>>,
    bytes: usize,
    /// Whether the next record does not fit in.
    full: bool,
    /// When the first of them was read.
    opened_ms: i64,
    /// What is under way, in its order.
    batches: VecDeque<Batch>,
    /// When the tumbling window began that is open, and what the function keeps in it.
    window: Option<(i64, Value)>,
    /// Where to begin again, once nothing is under way.
    rewind: Option<u64>,
}

impl Lane {
    pub fn new(tools: Tools, source: Arc<StreamSource>, table: &str, shard: &Arc<Shard>, number: u64) -> Self {
        let (reader, position) = shard.enter(source.from_the_oldest);
        let function = source.function_arn.rsplit(':').next().unwrap_or_default().to_owned();
        let state = Mutex::new(State { position, ..State::default() });
        let (turn, shard) = (watch::Sender::default(), shard.clone());
        Self { tools, source, table: table.to_owned(), function, shard, reader, number, state, turn }
    }

    pub fn table(&self) -> &str {
        &self.table
    }

    /// Begins again so many records before the oldest one that it is not done with.
    pub fn rewind(&self, records: usize) {
        self.begin_at(self.shard.before(self.shard.checkpoint_of(self.reader), records));
        self.shard.wake();
    }

    fn begin_at(&self, offset: u64) {
        let mut state = self.state();
        state.rewind = Some(state.rewind.map_or(offset, |earlier| earlier.min(offset)));
    }

    /// When there is something to do next, as far as one can tell now; anything before now is at once.
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

    /// Returns once there is nothing left to do at the clock's present time; how much was done since the start.
    pub async fn caught_up(&self) -> u64 {
        let still = |turn: &Turn| !turn.busy && !self.is_due();
        // The sender lives as long as `self`, so waiting cannot fail.
        self.turn.subscribe().wait_for(still).await.map_or(0, |turn| turn.done)
    }

    fn is_due(&self) -> bool {
        self.next_ms().is_some_and(|next_ms| next_ms <= self.tools.clock.now_ms())
    }

    pub async fn run(self: Arc<Self>) {
        let mut moves = self.shard.moves();
        loop {
            moves.mark_unchanged();
            match self.next_ms() {
                Some(next_ms) if next_ms <= self.tools.clock.now_ms() => {
                    self.turn.send_modify(|turn| turn.busy = true);
                    self.step().await;
                    self.turn.send_modify(|turn| *turn = Turn { busy: false, done: turn.done + 1 });
                }
                next_ms => tokio::select! {
                    () = self.tools.clock.sleep_until(next_ms.unwrap_or(i64::MAX)) => {}
                    // What is held now is not waited for any more.
                    _ = moves.changed() => self.turn.send_modify(|_| ()),
                },
            }
        }
    }

    /// Takes what comes next as far as it can be taken now.
    async fn step(&self) {
        let now_ms = self.tools.clock.now_ms();
        let next = self.next_batch(now_ms).and_then(|batch| self.without_the_old(batch, now_ms));
        let Some(batch) = next else { return };
        let left = if batch.not_before_ms <= now_ms { self.hand_over(batch).await } else { vec![batch] };
        let mut state = self.state();
        left.into_iter().rev().for_each(|batch| state.batches.push_front(batch));
        self.shard.checkpoint(self.reader, state.checkpoint());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The offset of the first record that is not done with.
    fn checkpoint(&self) -> u64 {
        let under_way = self.batches.iter().flat_map(|batch| &batch.records).chain(&self.gathered);
        under_way.map(|record| record.offset).next().unwrap_or(self.position)
    }
}
