//! The mappings: a reader for each shard and each function.

use std::sync::Arc;

use local_clock::Clock;
use local_faults::Faults;
use local_lambda::Lambda;
use local_resources::StreamSource;
use local_sqs::Sqs;
use local_streams::Streams;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::reader::{Dependencies, ShardReader};

/// A handle on the mappings; clones share it. They stop with its last clone.
#[derive(Clone)]
pub struct StreamMappings(Arc<Inner>);

struct Inner {
    readers: Vec<Arc<ShardReader>>,
    stop: CancellationToken,
    _stop_on_drop: DropGuard,
}

impl StreamMappings {
    /// Starts the readers: `ParallelizationFactor` of them for each mapping and each shard.
    pub fn start(
        clock: Clock,
        lambda: Lambda,
        sqs: Sqs,
        faults: Faults,
        streams: &Streams,
        sources: Vec<StreamSource>,
    ) -> Self {
        let dependencies = Dependencies { clock, lambda, sqs, faults };
        let stop = CancellationToken::new();
        let mut readers = Vec::new();
        for source in sources.into_iter().map(Arc::new) {
            // The template reader has checked that the stream exists.
            let Some((table, shards)) = streams.shards_of(&source.stream_arn) else { continue };
            for shard in shards {
                for number in 0..source.parallel {
                    let reader = Arc::new(ShardReader::new(dependencies.clone(), source.clone(), table, shard, number));
                    tokio::spawn(stop.clone().run_until_cancelled_owned(reader.clone().run()));
                    readers.push(reader);
                }
            }
        }
        Self(Arc::new(Inner { readers, _stop_on_drop: stop.clone().drop_guard(), stop }))
    }

    /// Stops the readers; batches that are with a function stay pending.
    pub fn stop(&self) {
        self.0.stop.cancel();
    }

    /// Returns once every record that can be delivered at the clock's present time has been delivered, and its function
    /// has ended; returns the number of steps since the start. Held records and waiting retries are not waited for.
    pub async fn caught_up(&self) -> u64 {
        let mut done = 0;
        for reader in &self.0.readers {
            done += reader.caught_up().await;
        }
        done
    }

    /// What [`StreamMappings::caught_up`] waits for now, one line each; empty when it would return at once.
    pub fn pending(&self) -> Vec<String> {
        self.0.readers.iter().filter_map(|reader| reader.pending()).collect()
    }

    /// Time of the readers' next step, in milliseconds since 1970; a time in the past means now.
    pub fn next_ms(&self) -> Option<i64> {
        self.0.readers.iter().filter_map(|reader| reader.next_ms()).min()
    }

    /// Delivers records of a table's stream again: in each shard, the last `records` that were done, and all that
    /// follow them, as when a reader restarts from an earlier checkpoint.
    pub fn replay(&self, table: &str, records: usize) {
        self.0.readers.iter().filter(|reader| reader.table() == table).for_each(|reader| reader.rewind(records));
    }
}
