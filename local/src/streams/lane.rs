//! One reader of one shard: one batch after another, each until it is settled what becomes of it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::batch::{self, Batch};
use super::destination::{self, Condition};
use super::record::Record;
use super::shard::{RETENTION_MS, Shard};
use crate::clock::Clock;
use crate::faults::{Faults, StreamBatch, StreamDelivery};
use crate::lambda::Lambda;
use crate::sqs::Sqs;
use crate::template::StreamSource;

/// What failed is tried again after a second, then twice that, and so on up to a minute. AWS does not say how long it
/// waits.
const LONGEST_WAIT_S: i64 = 60;
/// What a batch may hold, so that its event stays below Lambda's 6 MB.
const MAX_BYTES: usize = 6 * 1024 * 1024 - 64 * 1024;

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
    /// Where to begin again, once nothing is under way.
    rewind: Option<u64>,
}

impl Lane {
    pub fn new(tools: Tools, source: Arc<StreamSource>, table: &str, shard: &Arc<Shard>, number: u64) -> Self {
        let (reader, position) = shard.enter(source.from_the_oldest);
        let function = source.function_arn.rsplit(':').next().unwrap_or_default().to_owned();
        let state = State {
            position,
            gathered: Vec::new(),
            bytes: 0,
            full: false,
            opened_ms: 0,
            batches: VecDeque::new(),
            rewind: None,
        };
        let (state, turn, shard) = (Mutex::new(state), watch::Sender::default(), shard.clone());
        Self { tools, source, table: table.to_owned(), function, shard, reader, number, state, turn }
    }

    pub fn table(&self) -> &str {
        &self.table
    }

    /// Begins again so many records before the oldest one that it is not done with.
    pub fn rewind(&self, records: usize) {
        let mut state = self.state();
        let from = self.shard.before(self.shard.checkpoint_of(self.reader), records);
        state.rewind = Some(state.rewind.map_or(from, |earlier| earlier.min(from)));
        drop(state);
        self.shard.wake();
    }

    /// When there is something to do next, as far as one can tell now; anything before now is at once.
    pub fn next_ms(&self) -> Option<i64> {
        if self.shard.is_held() {
            return None;
        }
        let state = self.state();
        if state.rewind.is_some() {
            return Some(i64::MIN);
        }
        if let Some(batch) = state.batches.front() {
            return Some(batch.not_before_ms.min(self.too_old_ms(batch)));
        }
        let full = self.is_full(&state);
        if full || self.shard.has(state.position) {
            return Some(i64::MIN);
        }
        (!state.gathered.is_empty()).then(|| state.opened_ms.saturating_add(i64::from(self.source.window_s) * 1000))
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
                    _ = moves.changed() => self.turn.send_modify(|_| ()),
                },
            }
        }
    }

    async fn step(&self) {
        let now_ms = self.tools.clock.now_ms();
        let batch = {
            let mut state = self.state();
            if let Some(from) = state.rewind.take() {
                state.begin_at(from);
                self.shard.checkpoint(self.reader, from);
            }
            if state.batches.is_empty() {
                self.gather(&mut state, now_ms);
            }
            self.shard.checkpoint(self.reader, state.checkpoint());
            state.batches.pop_front()
        };
        let Some(batch) = batch.and_then(|batch| self.without_the_old(batch, now_ms)) else { return };
        let left = if batch.not_before_ms <= now_ms { self.hand_over(batch).await } else { vec![batch] };
        let mut state = self.state();
        left.into_iter().rev().for_each(|batch| state.batches.push_front(batch));
        self.shard.checkpoint(self.reader, state.checkpoint());
    }

    /// Reads what is there, and makes a batch of it when it is full or its time has come.
    fn gather(&self, state: &mut State, now_ms: i64) {
        let parallel = self.source.parallel;
        let from = state.position;
        state.position = self.shard.read(from, now_ms, |record| {
            if self.is_full(state) {
                return false;
            }
            let mine = (record.hash >> 32) % parallel == self.number;
            if !mine || !self.source.wants(&record.json) {
                return true;
            }
            if !state.gathered.is_empty() && state.bytes + record.json.len() > MAX_BYTES {
                state.full = true;
                return false;
            }
            if state.gathered.is_empty() {
                state.opened_ms = now_ms;
            }
            state.bytes += record.json.len() + 1;
            state.gathered.push(record.clone());
            true
        });
        let closes_ms = state.opened_ms.saturating_add(i64::from(self.source.window_s) * 1000);
        if self.is_full(state) || (!state.gathered.is_empty() && closes_ms <= now_ms) {
            (state.bytes, state.full) = (0, false);
            state.batches.push_back(Batch::of(std::mem::take(&mut state.gathered)));
        }
    }

    fn is_full(&self, state: &State) -> bool {
        state.full || state.gathered.len() >= self.source.batch_size
    }

    /// When a batch's oldest record is given up.
    fn too_old_ms(&self, batch: &Batch) -> i64 {
        let age_ms = self.source.record_age_s.map_or(RETENTION_MS, |seconds| i64::from(seconds) * 1000);
        let oldest_ms = batch.records.first().map_or(i64::MAX, |record| record.created_ms);
        oldest_ms.saturating_add(age_ms.min(RETENTION_MS)).saturating_add(1)
    }

    /// Gives up what is too old; what is left.
    fn without_the_old(&self, mut batch: Batch, now_ms: i64) -> Option<Batch> {
        if self.too_old_ms(&batch) > now_ms {
            return Some(batch);
        }
        let ages = batch.records.len();
        let young = (1..ages).find(|index| {
            let rest = Batch::of(batch.records.get(*index..).unwrap_or_default().to_vec());
            self.too_old_ms(&rest) > now_ms
        });
        let rest = young.map(|index| batch.split_off(index));
        self.give_up(&batch, Condition::RecordAgeExceeded);
        rest
    }

    /// Hands a batch over, as the faults will have it; what of it has to come again.
    async fn hand_over(&self, mut batch: Batch) -> Vec<Batch> {
        let attempt = batch.invokes + 1;
        let asked = StreamBatch {
            function: &self.function,
            table: &self.table,
            shard: &self.shard.id,
            records: batch.records.len(),
            attempt,
        };
        let mut after = None;
        match self.tools.faults.stream_delivery(&asked) {
            StreamDelivery::Once => {}
            StreamDelivery::Twice => drop(self.invoke(&mut batch).await),
            StreamDelivery::First(records) if (1..batch.records.len()).contains(&records) => {
                after = Some(batch.split_off(records));
            }
            StreamDelivery::First(_) => {}
            StreamDelivery::ThenBack(records) => {
                let from = batch.records.first().map_or(0, |record| record.offset);
                // What is left of it comes again anyway.
                drop(self.attempt(batch).await);
                let (from, mut state) = (self.shard.before(from, records), self.state());
                state.rewind = Some(state.rewind.map_or(from, |earlier| earlier.min(from)));
                return Vec::new();
            }
        }
        let mut left = self.attempt(batch).await;
        left.extend(after);
        left
    }

    /// Invokes the function once; what of the batch has to come again.
    async fn attempt(&self, mut batch: Batch) -> Vec<Batch> {
        let wait = |batch: &Batch| {
            let seconds = 1 << batch.failures.saturating_sub(1).min(6);
            self.tools.clock.now_ms() + LONGEST_WAIT_S.min(seconds) * 1000
        };
        let Some(failed) = self.invoke(&mut batch).await else {
            // It has not run: that is no attempt.
            batch.not_before_ms = wait(&batch);
            return vec![batch];
        };
        let Some(index) = failed else { return Vec::new() };
        let source = &self.source;
        let mut rest = if index == 0 { batch } else { batch.split_off(index) };
        if source.bisect && index > 0 {
            return vec![rest];
        }
        if source.bisect && rest.records.len() > 1 {
            let second = rest.split_off(rest.records.len() / 2);
            return vec![rest, second];
        }
        rest.failures += 1;
        if source.retries.is_some_and(|most| rest.failures > most) {
            self.give_up(&rest, Condition::RetryAttemptsExhausted);
            return Vec::new();
        }
        rest.not_before_ms = wait(&rest);
        vec![rest]
    }

    /// Where the records begin that failed, if any; `None` where the function did not run.
    async fn invoke(&self, batch: &mut Batch) -> Option<Option<usize>> {
        let StreamSource { function_arn, partial_failures, .. } = &*self.source;
        match self.tools.lambda.invoke(function_arn, batch.event().into()).await {
            Ok(outcome) => {
                batch.invokes += 1;
                let failed = batch::failed_from(&outcome, *partial_failures, &batch.records);
                if let Some(index) = failed {
                    let (of, said) = (batch.records.len(), String::from_utf8_lossy(&outcome.payload));
                    tracing::warn!(function = self.function, stream = self.table, index, of, "a batch failed: {said}");
                }
                batch.last = Some(outcome);
                Some(failed)
            }
            Err(error) => {
                tracing::warn!(function = self.function, stream = self.table, "a batch was not taken: {error}");
                None
            }
        }
    }

    fn give_up(&self, batch: &Batch, condition: Condition) {
        let StreamSource { function_arn, stream_arn, on_failure, .. } = &*self.source;
        let records = batch.records.len();
        tracing::error!(function = self.function, stream = self.table, records, ?condition, "records given up");
        let Some(queue) = on_failure else { return };
        let now_ms = self.tools.clock.now_ms();
        let document = destination::record(batch, function_arn, stream_arn, &self.shard.id, condition, now_ms);
        if !self.tools.sqs.send(queue, document) {
            tracing::error!(function = self.function, queue, "no such queue: the record of a batch is lost");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The offset of the first record that is not done with.
    fn checkpoint(&self) -> u64 {
        let first = |records: &[Arc<Record>]| records.first().map(|record| record.offset);
        let under_way = self.batches.front().and_then(|batch| first(&batch.records));
        under_way.or_else(|| first(&self.gathered)).unwrap_or(self.position)
    }

    fn begin_at(&mut self, offset: u64) {
        self.position = offset;
        self.gathered.clear();
        self.batches.clear();
        (self.bytes, self.full) = (0, false);
    }
}
