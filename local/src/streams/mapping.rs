//! The mappings: who reads which shard for which function.

use std::sync::Arc;

use tokio_util::sync::{CancellationToken, DropGuard};

use super::Streams;
use super::lane::{Lane, Tools};
use crate::clock::Clock;
use crate::faults::Faults;
use crate::lambda::Lambda;
use crate::sqs::Sqs;
use crate::template::StreamSource;

/// A handle on the mappings; clones share it. They stop with its last clone.
#[derive(Clone)]
pub struct Mappings(Arc<Inner>);

struct Inner {
    lanes: Vec<Arc<Lane>>,
    stop: CancellationToken,
    _stop_on_drop: DropGuard,
}

impl Mappings {
    /// Starts to read: for each mapping and each shard one batch at a time, or as many as it may have in parallel.
    pub fn start(
        clock: Clock,
        lambda: Lambda,
        sqs: Sqs,
        faults: Faults,
        streams: &Streams,
        sources: Vec<StreamSource>,
    ) -> Self {
        let tools = Tools { clock, lambda, sqs, faults };
        let stop = CancellationToken::new();
        let mut lanes = Vec::new();
        for source in sources.into_iter().map(Arc::new) {
            // The template has no mapping of a stream that is not there.
            let Some((table, stream)) = streams.by_arn(&source.stream_arn) else { continue };
            for shard in &stream.shards {
                for number in 0..source.parallel {
                    let lane = Arc::new(Lane::new(tools.clone(), source.clone(), table, shard, number));
                    tokio::spawn(stop.clone().run_until_cancelled_owned(lane.clone().run()));
                    lanes.push(lane);
                }
            }
        }
        Self(Arc::new(Inner { lanes, _stop_on_drop: stop.clone().drop_guard(), stop }))
    }

    /// Reads no more; what is being handed over is not done with.
    pub(crate) fn stop(&self) {
        self.0.stop.cancel();
    }

    /// Returns once everything that is there at the clock's present time has been handed over, and its function is done
    /// with it; how much that makes since the start. What is held is not waited for, nor what waits for the clock.
    pub async fn caught_up(&self) -> u64 {
        let mut done = 0;
        for lane in &self.0.lanes {
            done += lane.caught_up().await;
        }
        done
    }

    /// When there is something to do next.
    pub fn next_ms(&self) -> Option<i64> {
        self.0.lanes.iter().filter_map(|lane| lane.next_ms()).min()
    }

    /// Hands records of a table's stream over again: in each shard the newest so many that were done with, and all that
    /// follow them in their order, as when a reader begins again at an earlier place.
    pub fn replay(&self, table: &str, records: usize) {
        self.0.lanes.iter().filter(|lane| lane.table() == table).for_each(|lane| lane.rewind(records));
    }
}
