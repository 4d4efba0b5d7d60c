//! DynamoDB Streams: the changes of tables, as records in shards.
//!
//! The DynamoDB front appends what it wrote; event source mappings read the shards.
//!
//! | module | holds |
//! |---|---|
//! | [`record`] | one change of an item, as a function sees it |
//! | [`shard`] | records in their order, and the position of each reader |

mod record;
mod shard;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use local_clock::Clock;
use local_resources::{StreamView, Table};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use record::Place;
pub use record::{Change, Record};
pub use shard::{RETENTION_MS, Shard};

/// Shards of each stream. AWS has one for each partition of the table.
const SHARDS: u64 = 4;

/// A handle on the streams of all tables; clones share them.
#[derive(Clone)]
pub struct Streams(Arc<Inner>);

struct Inner {
    clock: Clock,
    streams: BTreeMap<String, Stream>,
}

struct Stream {
    arn: String,
    view: StreamView,
    partition_key: String,
    shards: Vec<Arc<Shard>>,
    /// Number of the newest record.
    last: Mutex<u64>,
}

/// The saved state of a stream.
#[derive(Serialize, Deserialize)]
struct Saved {
    last: u64,
    shards: Vec<Vec<Record>>,
}

impl Streams {
    /// Creates a stream for each table with a `StreamSpecification`.
    pub fn new(clock: Clock, tables: &[Table]) -> Self {
        let streams = tables.iter().filter_map(|table| Some((table.name.clone(), Stream::of(table)?))).collect();
        Self(Arc::new(Inner { clock, streams }))
    }

    /// Whether any table has a stream.
    pub fn any(&self) -> bool {
        !self.0.streams.is_empty()
    }

    /// Whether a table has a stream.
    pub fn has(&self, table: &str) -> bool {
        self.0.streams.contains_key(table)
    }

    /// The ids of a table's shards.
    pub fn shards(&self, table: &str) -> Vec<String> {
        self.of(table).map(|shard| shard.id.clone()).collect()
    }

    /// At most `most` records of a shard, in JSON, each with its offset, starting at the offset `from` or at the oldest
    /// kept record. Without a mapping, the newest 2,000 records are kept.
    pub fn read(&self, table: &str, shard: &str, from: u64, most: usize) -> Vec<(u64, String)> {
        let mut records = Vec::new();
        if let Some(shard) = self.of(table).find(|known| known.id == shard) {
            shard.read(from, self.0.clock.now_ms(), |record| {
                let wanted = records.len() < most;
                records.extend(wanted.then(|| (record.offset, record.json.clone())));
                wanted
            });
        }
        records
    }

    /// Appends the record of a change. A change without an effect leaves no record, nor does one of a table without a
    /// stream.
    pub fn append(&self, table: &str, change: Change) {
        if let Some(stream) = self.0.streams.get(table) {
            stream.append(change, self.0.clock.now_ms());
        }
    }

    /// Holds the records of a table's stream until they are released. Batches that are with a function are not
    /// affected.
    pub fn hold(&self, table: &str) {
        self.of(table).for_each(|shard| shard.hold(true));
    }

    /// Releases held records.
    pub fn release(&self, table: &str) {
        self.of(table).for_each(|shard| shard.hold(false));
    }

    /// Records that are not delivered, or not done, for [`Streams::restore`].
    pub fn snapshot(&self) -> Value {
        let saved = |stream: &Stream| Saved {
            last: *stream.last(),
            shards: stream
                .shards
                .iter()
                .map(|shard| shard.pending().iter().map(|r| Record::clone(r)).collect())
                .collect(),
        };
        let streams: BTreeMap<_, _> = self.0.streams.iter().map(|(table, stream)| (table, saved(stream))).collect();
        // Strings and numbers only, so serialization cannot fail.
        serde_json::to_value(streams).unwrap_or_default()
    }

    /// Restores a [`Streams::snapshot`] before any reader starts; records of streams that no longer exist are dropped
    /// with a warning.
    ///
    /// # Errors
    /// The snapshot cannot be read; nothing has changed.
    pub fn restore(&self, state: &Value) -> Result<(), serde_json::Error> {
        for (table, saved) in BTreeMap::<String, Saved>::deserialize(state)? {
            match self.0.streams.get(&table) {
                Some(stream) => {
                    *stream.last() = saved.last;
                    stream.shards.iter().zip(saved.shards).for_each(|(shard, records)| shard.restore(records));
                }
                None => tracing::warn!(table, "records of a stream that no longer exists are dropped"),
            }
        }
        Ok(())
    }

    fn of(&self, table: &str) -> impl Iterator<Item = &Arc<Shard>> {
        self.0.streams.get(table).into_iter().flat_map(|stream| &stream.shards)
    }

    /// The name of the table that has the stream of this ARN, and the stream's shards.
    pub fn shards_of(&self, stream_arn: &str) -> Option<(&str, &[Arc<Shard>])> {
        let (table, stream) = self.0.streams.iter().find(|(_, stream)| stream.arn == stream_arn)?;
        Some((table, &stream.shards))
    }
}

impl Stream {
    fn of(table: &Table) -> Option<Self> {
        let stream = table.stream.as_ref()?;
        let keys = table.create.get("KeySchema")?.as_array()?;
        let partition_key = keys.iter().find(|key| key["KeyType"] == "HASH")?["AttributeName"].as_str()?.to_owned();
        let shard = |number| {
            let mark = record::hash(&format!("{}{number}", stream.arn).into()) >> 32;
            Arc::new(Shard::new(format!("shardId-{number:020}-{mark:08x}")))
        };
        let (arn, view) = (stream.arn.clone(), stream.view);
        Some(Self { arn, view, partition_key, shards: (0..SHARDS).map(shard).collect(), last: Mutex::default() })
    }

    fn last(&self) -> MutexGuard<'_, u64> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn append(&self, change: Change, now_ms: i64) {
        let Some(hash) = change.key.get(&self.partition_key).map(record::hash) else { return };
        let mut last = self.last();
        // The time in the numbers makes them grow across restarts of the process.
        let number = u64::try_from(now_ms).unwrap_or(0).saturating_mul(1_000_000).max(*last + 1);
        let place = Place { stream_arn: &self.arn, view: self.view, number, now_ms };
        let Some(json) = record::json(change, hash, &place) else { return };
        *last = number;
        let shard = usize::try_from(hash % SHARDS).ok().and_then(|at| self.shards.get(at));
        if let Some(shard) = shard {
            let sequence = record::sequence(number);
            shard.append(|offset| Record { offset, sequence, created_ms: now_ms, hash, json });
        }
    }
}
