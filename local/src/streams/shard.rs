//! A shard: records in their order, who has read how far, and what is still kept.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::record::Record;

/// DynamoDB keeps records for a day.
pub(super) const RETENTION_MS: i64 = 24 * 3_600_000;
/// Records that every reader is done with are kept for replays, but not more than so many.
const KEPT: usize = 2_000;

/// A shard of a stream.
pub(super) struct Shard {
    pub id: String,
    log: Mutex<Log>,
    /// Changes with everything that its readers have to look at.
    moved: watch::Sender<()>,
}

#[derive(Default)]
struct Log {
    /// The offset of the oldest record.
    first: u64,
    records: VecDeque<Arc<Record>>,
    /// The offset of the first record that a reader is not done with.
    checkpoints: BTreeMap<usize, u64>,
    held: bool,
    /// Whether what it began with was left over from an earlier run, and is owed to every reader.
    restored: bool,
}

impl Shard {
    pub fn new(id: String) -> Self {
        Self { id, log: Mutex::default(), moved: watch::Sender::new(()) }
    }

    /// Adds a record, which is told its offset.
    pub fn append(&self, record: impl FnOnce(u64) -> Record) {
        let mut log = self.log();
        let record = record(log.end());
        log.records.push_back(Arc::new(record));
        log.forget();
        drop(log);
        self.wake();
    }

    /// Begins with what an earlier run had not done with.
    pub fn restore(&self, records: Vec<Record>) {
        let mut log = self.log();
        log.restored = true;
        for record in records {
            let offset = log.end();
            log.records.push_back(Arc::new(Record { offset, ..record }));
        }
    }

    /// Registers a reader; tells its number, and the offset of the oldest record or of the next one to come.
    pub fn enter(&self, from_the_oldest: bool) -> (usize, u64) {
        let mut log = self.log();
        let (reader, start) =
            (log.checkpoints.len(), if from_the_oldest || log.restored { log.first } else { log.end() });
        log.checkpoints.insert(reader, start);
        (reader, start)
    }

    /// A reader is done with everything before this offset, or begins again there.
    pub fn checkpoint(&self, reader: usize, offset: u64) {
        self.log().checkpoints.insert(reader, offset);
    }

    /// The offset of the first record that a reader is not done with.
    pub fn checkpoint_of(&self, reader: usize) -> u64 {
        self.log().checkpoints.get(&reader).copied().unwrap_or_default()
    }

    /// The records from an offset on, of those that DynamoDB still keeps, for as long as `take` wants them; tells the
    /// offset of the next one.
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

    /// Whether there is anything at or after an offset.
    pub fn has(&self, offset: u64) -> bool {
        self.log().end() > offset
    }

    /// So many records before an offset, or as many as there are.
    pub fn before(&self, offset: u64, records: usize) -> u64 {
        let back = u64::try_from(records).unwrap_or(u64::MAX);
        offset.saturating_sub(back).max(self.log().first)
    }

    pub fn hold(&self, held: bool) {
        self.log().held = held;
        self.wake();
    }

    pub fn is_held(&self) -> bool {
        self.log().held
    }

    /// What some reader is not done with.
    pub fn pending(&self) -> Vec<Arc<Record>> {
        let log = self.log();
        let Some(from) = log.checkpoints.values().min() else { return Vec::new() };
        log.records.iter().filter(|record| record.offset >= *from).cloned().collect()
    }

    pub fn wake(&self) {
        self.moved.send_replace(());
    }

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

    fn forget(&mut self) {
        let done = self.checkpoints.values().min().copied().unwrap_or(u64::MAX);
        while self.records.len() > KEPT && self.first < done {
            self.records.pop_front();
            self.first += 1;
        }
    }
}
