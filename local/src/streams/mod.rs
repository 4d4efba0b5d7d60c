//! DynamoDB Streams, and Lambda's event source mappings that read them.
//!
//! | file | holds |
//! |---|---|
//! | [`record`] | one change of an item, as a function gets to see it |
//! | [`shard`] | records in their order, and who has read how far |
//! | [`filter`] | which records a mapping wants |
//! | [`mapping`] | the mappings: who reads which shard for which function |
//! | [`lane`] | one reader of one shard: one batch after another |
//! | [`batch`] | a batch, its event, and what its function's answer says of it |
//! | [`destination`] | the record of a batch that was given up |
//!
//! The front of the database appends what it wrote (see [`crate::dynamodb`]). The mappings read at once instead of
//! four times a second.

mod batch;
mod destination;
mod filter;
mod lane;
mod mapping;
mod record;
mod shard;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::Clock;
use crate::template::{StreamView, Table};

pub use filter::{Pattern, PatternError};
pub use mapping::Mappings;
pub use record::Change;
use record::{Place, Record};
use shard::Shard;

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
    /// The number of its newest record.
    last: Mutex<u64>,
}

/// What is kept of a stream.
#[derive(Serialize, Deserialize)]
struct Saved {
    last: u64,
    shards: Vec<Vec<Record>>,
}

impl Streams {
    /// A stream for each table that has one.
    pub fn new(clock: Clock, tables: &[Table]) -> Self {
        let streams = tables.iter().filter_map(|table| Some((table.name.clone(), Stream::of(table)?))).collect();
        Self(Arc::new(Inner { clock, streams }))
    }

    /// Whether any table has a stream.
    pub(crate) fn any(&self) -> bool {
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

    /// At most so many records of a shard, as events have them, and the offset of each; the first is at `from`, or is the
    /// oldest that is still kept. Without any mapping these are the newest 2,000.
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

    /// Notes a change; one that changed nothing leaves no record, and neither does one of a table without a stream.
    pub fn append(&self, table: &str, change: Change) {
        if let Some(stream) = self.0.streams.get(table) {
            stream.append(change, self.0.clock.now_ms());
        }
    }

    /// Hands nothing of a table's stream over until it is released. What a function is working on goes on.
    pub fn hold(&self, table: &str) {
        self.of(table).for_each(|shard| shard.hold(true));
    }

    /// Lets go of what is held.
    pub fn release(&self, table: &str) {
        self.of(table).for_each(|shard| shard.hold(false));
    }

    /// What was not handed over yet, or not done with.
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
        // Texts and numbers only: there is nothing that JSON cannot say.
        serde_json::to_value(streams).unwrap_or_default()
    }

    /// Takes back a [`Streams::snapshot`], before anybody reads; what belongs to a stream that there is no more is left
    /// out, with a warning.
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
                None => tracing::warn!(table, "the saved state has records of a stream that there is no more"),
            }
        }
        Ok(())
    }

    fn of(&self, table: &str) -> impl Iterator<Item = &Arc<Shard>> {
        self.0.streams.get(table).into_iter().flat_map(|stream| &stream.shards)
    }

    /// Table and stream of this ARN.
    fn by_arn(&self, arn: &str) -> Option<(&String, &Stream)> {
        self.0.streams.iter().find(|(_, stream)| stream.arn == arn)
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
        // With the time in them numbers go on growing when the process is started again.
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
