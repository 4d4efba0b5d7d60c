//! A shard: records in order, the checkpoint of each reader, and the records that are kept for replays.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::record::Record;

/// How long DynamoDB keeps a record: one day, in milliseconds.
pub const RETENTION_MS: i64 = 24 * 3_600_000;
/// Number of finished records that are kept for replays.
const MAX_KEPT: usize = 2_000;

/// A shard of a stream.
pub struct Shard {
    /// The shard's id.
    pub id: String,
    log: Mutex<Log>,
    /// Changes with everything that readers have to look at.
    moved: watch::Sender<()>,
}

#[derive(Default)]
struct Log {
    /// Offset of the oldest record.
    first: u64,
    records: VecDeque<Arc<Record>>,
    /// Offset of the first record that is not done, by reader.
    checkpoints: BTreeMap<usize, u64>,
    held: bool,
    /// Whether the log starts with records of an earlier run, which every reader has to read.
    restored: bool,
}

impl Shard {
    pub(super) fn new(id: String) -> Self {
        Self { id, log: Mutex::default(), moved: watch::Sender::new(()) }
    }

    /// Appends the record that `record` makes from its offset.
    pub(super) fn append(&self, record: impl FnOnce(u64) -> Record) {
        let mut log = self.log();
        let record = record(log.end());
        log.records.push_back(Arc::new(record));
        log.drop_finished();
        drop(log);
        self.wake();
    }

    /// Starts with records that an earlier run did not finish.
    pub(super) fn restore(&self, records: Vec<Record>) {
        let mut log = self.log();
        log.restored = true;
        for record in records {
            let offset = log.end();
            log.records.push_back(Arc::new(Record { offset, ..record }));
        }
    }

    /// Registers a reader; returns its number, and the offset of the oldest record or of the next one.
    pub fn enter(&self, from_the_oldest: bool) -> (usize, u64) {
        let mut log = self.log();
        let (reader, start) =
            (log.checkpoints.len(), if from_the_oldest || log.restored { log.first } else { log.end() });
        log.checkpoints.insert(reader, start);
        (reader, start)
    }

    /// Sets a reader's checkpoint: every record before the offset is done, or the reader continues there.
    pub fn checkpoint(&self, reader: usize, offset: u64) {
        self.log().checkpoints.insert(reader, offset);
    }

    /// Offset of the first record that a reader has not finished.
    pub fn checkpoint_of(&self, reader: usize) -> u64 {
        self.log().checkpoints.get(&reader).copied().unwrap_or_default()
    }

    /// Passes records to `take`, from an offset on, until it returns false; records past the retention are skipped.
    /// Returns the offset of the next record.
    pub fn read(&self, from: u64, now_ms: i64, mut take: impl FnMut(&Arc<Record>) -> bool) -> u64 {
        let log = self.log();
        let mut next = from.max(log.first);
        let skipped = usize::try_from(next - log.first).unwrap_or(usize::MAX);
        for record in log.records.iter().skip(skipped) {
            if record.created_ms.saturating_add(RETENTION_MS) > now_ms && !take(record) {
                break;
            }
            next = record.offset + 1;
        }
        next
    }

    /// Whether there is a record at or after an offset.
    pub fn has(&self, offset: u64) -> bool {
        self.log().end() > offset
    }

    /// The offset `records` before an offset, or that of the oldest record.
    pub fn before(&self, offset: u64, records: usize) -> u64 {
        let back = u64::try_from(records).unwrap_or(u64::MAX);
        offset.saturating_sub(back).max(self.log().first)
    }

    pub(super) fn hold(&self, held: bool) {
        self.log().held = held;
        self.wake();
    }

    /// Whether nothing may be handed over.
    pub fn is_held(&self) -> bool {
        self.log().held
    }

    /// Records that at least one reader has not finished.
    pub fn pending(&self) -> Vec<Arc<Record>> {
        let log = self.log();
        let Some(from) = log.checkpoints.values().min() else { return Vec::new() };
        log.records.iter().filter(|record| record.offset >= *from).cloned().collect()
    }

    /// Makes every reader look at the shard again.
    pub fn wake(&self) {
        self.moved.send_replace(());
    }

    /// Changes with everything that a reader has to look at.
    pub fn moves(&self) -> watch::Receiver<()> {
        self.moved.subscribe()
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    fn end(&self) -> u64 {
        self.first + self.records.len() as u64
    }

    fn drop_finished(&mut self) {
        let done = self.checkpoints.values().min().copied().unwrap_or(u64::MAX);
        while self.records.len() > MAX_KEPT && self.first < done {
            self.records.pop_front();
            self.first += 1;
        }
    }
}
