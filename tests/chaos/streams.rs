//! The streams of the tables, as event source mappings hand them to functions: each shard in order, again after a
//! failure, and now and then records that were done. A shard has one reader for each function, also where the template
//! lets several share it (`ParallelizationFactor`), and one window that does not end.

use local::streams::Change;
use serde_json::{Value, json};

use crate::{
    event::Event,
    invocation::{Invocation, InvocationOutcome, Invoker},
    world::World,
};

/// The most records of one event, so that a schedule has many events.
const MAX_BATCH: usize = 10;

/// Reads one shard of a table's stream for one function.
pub struct StreamReader {
    /// Index of the mapping in the fixture.
    source: usize,
    table: String,
    shard: String,
    /// Offset of the first record that is not done.
    next: u64,
    /// Failures of the batch that starts there.
    failures: u32,
    /// Whether a read is planned, or a batch is with the function.
    is_busy: bool,
}

/// The records of a batch.
#[derive(Clone, Debug)]
pub struct StreamBatch {
    /// Index of the reader.
    reader: usize,
    /// Offset and sequence number of each record that passes the filters.
    records: Vec<(u64, String)>,
    /// Offset after the last record, of those too that the filters hold back.
    end: u64,
}

impl StreamReader {
    /// The readers of all mappings: one for each shard of their tables.
    pub fn all(world: &World<'_>) -> Vec<Self> {
        let mut readers = Vec::new();
        for (source, (_, mapping)) in world.fixture.stream_sources.iter().enumerate() {
            let of_mapping = |table: &&String| mapping.stream_arn.contains(&format!(":table/{table}/stream/"));
            let table = world.fixture.tables.iter().find(of_mapping).expect("a mapping is of a table of the template");
            for shard in world.streams.shards(table) {
                let reader = Self { source, table: table.clone(), shard, next: 0, failures: 0, is_busy: false };
                readers.push(reader);
            }
        }
        readers
    }
}

impl World<'_> {
    /// Appends a change to the stream of its table. Schedules without a fleet command have no use for streams.
    pub fn append_to_stream(&mut self, table: &str, change: Change) {
        if !self.scenario.has_fleet() {
            return;
        }
        self.streams.append(table, change);
        for reader in 0..self.readers.len() {
            if self.readers[reader].table == table {
                self.plan_read(reader);
            }
        }
    }

    /// Plans the next read of a shard, if it has records and none is planned.
    fn plan_read(&mut self, reader: usize) {
        let StreamReader { table, shard, next, is_busy, .. } = &self.readers[reader];
        if *is_busy || self.streams.read(table, shard, *next, 1).is_empty() {
            return;
        }
        self.readers[reader].is_busy = true;
        let wait_ms = match self.readers[reader].failures {
            0 => self.random.between(1, 300),
            failures => 1000 << failures.min(6),
        };
        self.plan_after(wait_ms, Event::ReadStream { reader });
    }

    /// Hands the next batch of a shard to its function.
    pub fn read_stream(&mut self, reader: usize) {
        let StreamReader { source, table, shard, next, failures, .. } = &self.readers[reader];
        let (function, mapping) = &self.fixture.stream_sources[*source];
        // A batch that has failed is split.
        let most = (mapping.batch_size.min(MAX_BATCH) >> failures.min(&4)).max(1);
        let read = self.streams.read(table, shard, *next, 1 + self.random.below(most));
        let end = read.last().map_or(*next, |(offset, _)| offset + 1);
        let mut records = Vec::new();
        let mut batch = StreamBatch { reader, records: Vec::new(), end };
        for (offset, record) in read.iter().filter(|(_, record)| mapping.wants(record)) {
            let record: Value = serde_json::from_str(record).expect("a record is JSON");
            let number = record["dynamodb"]["SequenceNumber"].as_str().expect("a record has a number").to_owned();
            batch.records.push((*offset, number));
            records.push(record);
        }
        let mut event = json!({"Records": records});
        if mapping.tumbling_s.is_some() {
            event["window"] = json!({"start": "2023-11-14T22:10:00Z", "end": "2023-11-14T22:15:00Z"});
            event["state"] = json!({});
            event["shardId"] = shard.as_str().into();
            event["eventSourceARN"] = mapping.stream_arn.as_str().into();
            event["isFinalInvokeForWindow"] = false.into();
            event["isWindowTerminatedEarly"] = false.into();
        }
        let function = *function;
        if batch.records.is_empty() {
            return self.move_on(reader, end);
        }
        let id = self.next_request_id();
        self.invoke(Invocation { id, function, event: event.to_string(), invoker: Invoker::Stream(batch), retries: 0 });
    }

    /// Moves a reader behind the records that its function has done, or back to the first that failed.
    pub fn on_batch_end(&mut self, batch: &StreamBatch, outcome: &InvocationOutcome) {
        let StreamBatch { reader, records, end } = batch;
        let failed = match outcome {
            InvocationOutcome::Batch(failed) => failed
                .iter()
                .filter_map(|number| {
                    let place = records.iter().find(|(_, of_record)| of_record == number);
                    // A number that is not in the batch fails all of it.
                    Some(place.map_or(records.first()?.0, |(offset, _)| *offset))
                })
                .min(),
            InvocationOutcome::Response(..) | InvocationOutcome::Done => None,
            InvocationOutcome::Failed(_) | InvocationOutcome::Panicked => records.first().map(|(offset, _)| *offset),
        };
        let Some(failed) = failed else {
            let is_replayed = self.random.chance(self.fault_rates.events);
            let back = if is_replayed { self.random.between(1, 4).unsigned_abs() } else { 0 };
            return self.move_on(*reader, end.saturating_sub(back));
        };
        let (_, mapping) = &self.fixture.stream_sources[self.readers[*reader].source];
        let has_retries = mapping.retries.is_none_or(|most| self.readers[*reader].failures < most);
        self.trace(|| format!("  records from offset {failed} on failed, and are retried: {has_retries}"));
        if !has_retries {
            // They are on the failure queue.
            return self.move_on(*reader, *end);
        }
        let StreamReader { next, failures, is_busy, .. } = &mut self.readers[*reader];
        *failures = if *next == failed { *failures + 1 } else { 1 };
        (*next, *is_busy) = (failed, false);
        self.plan_read(*reader);
    }

    fn move_on(&mut self, reader: usize, next: u64) {
        let state = &mut self.readers[reader];
        (state.next, state.failures, state.is_busy) = (next, 0, false);
        self.plan_read(reader);
    }
}
