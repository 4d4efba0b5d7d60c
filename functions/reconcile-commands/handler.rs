//! Finds what is due, decides what is owed, writes that. A device that answers in between wins: then there is nothing to do.

use aws::Error;
use domain::{By, Key, SHARDS, Timestamp};
use serde::Serialize;
use tokio::task::JoinSet;

use super::{
    events::{self, Tick},
    ticks::Ticks,
};
use crate::{
    cloud::Cloud,
    failure::{Failure, chain},
    telemetry,
    turn::{Done, Turn},
};

/// What a run has done.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    #[serde(flatten)]
    done: Done,
    /// Could not be read or written: still due.
    failed: u64,
    /// Shards in which more may be due than one run takes: the next run goes on.
    shards_with_more: u64,
}

/// One run takes at most this many of each shard, the oldest first, and so ends well within its time.
const PER_SHARD: u16 = 250;

/// Handles one tick. The first of a minute sees to the others before its own work, which may take a while.
pub async fn handle(cloud: &Cloud, ticks: &Ticks, event: &str, request_id: &str) -> Result<Summary, Failure> {
    let tick = events::decode(event)?;
    let queued = match tick {
        Tick::FirstOfMinute(first) => ticks.queue_rest(first).await.map_err(Failure::Aws),
        Tick::Later(_) => Ok(()),
    };
    let summary = run(cloud, tick.at(), request_id).await;
    queued.and(summary)
}

async fn run(cloud: &Cloud, now: Timestamp, request_id: &str) -> Result<Summary, Failure> {
    let mut shards = JoinSet::new();
    for shard in 0..SHARDS {
        let (cloud, token) = (cloud.clone(), format!("{request_id}/{shard}"));
        shards.spawn(async move { reconcile(&cloud, shard, now, &token).await });
    }
    let (mut summary, mut unread) = (Summary::default(), 0);
    while let Some(shard) = shards.join_next().await {
        match shard {
            Ok(Ok(done)) => summary.add(&done),
            Ok(Err(error)) => {
                tracing::error!(error = chain(&error), "a shard could not be read");
                unread += 1;
            }
            Err(error) => {
                tracing::error!(error = chain(&error), "a shard was not finished");
                unread += 1;
            }
        }
    }
    summary.report(now);
    summary.complete(unread)
}

async fn reconcile(cloud: &Cloud, shard: u8, now: Timestamp, token: &str) -> Result<Summary, Error> {
    let turn = Turn { cloud, now, by: By::function("reconcile-commands"), token };
    let due = cloud.executions.due(shard, now, PER_SHARD).await?;
    let mut summary = Summary { shards_with_more: (due.len() == usize::from(PER_SHARD)).into(), ..Summary::default() };
    for key in due {
        let settled = match key {
            Ok(key) => settle(&turn, &key).await,
            Err(error) => Err(error),
        };
        match settled {
            Ok(done) => summary.done += done,
            // One bad row never stops the rest.
            Err(error) => {
                tracing::warn!(error = chain(&error), shard, "something due could not be settled");
                summary.failed += 1;
            }
        }
    }
    Ok(summary)
}

async fn settle(turn: &Turn<'_>, key: &Key) -> Result<Done, Error> {
    match turn.read(key).await? {
        Some(row) => turn.drive(row).await,
        // The index lags.
        None => Ok(Done::default()),
    }
}

impl Summary {
    fn add(&mut self, other: &Self) {
        self.done += other.done;
        self.failed += other.failed;
        self.shards_with_more += other.shards_with_more;
    }

    /// What could be done is done; the rest is still due, and this says that something is wrong.
    fn complete(self, unread: u64) -> Result<Self, Failure> {
        match unread + self.failed {
            0 => Ok(self),
            left => Err(Failure::Incomplete(left)),
        }
    }

    fn report(&self, now: Timestamp) {
        if *self == Self::default() {
            return;
        }
        let counted = [
            ("ExecutionsSettled", self.done.settled),
            ("ExecutionsRetried", self.done.retried),
            ("ExecutionsSent", self.done.sent),
            ("ExecutionsConcluded", self.done.concluded),
            ("ExecutionsMoved", self.done.moved),
            ("RacesLost", self.done.lost),
            ("ExecutionsUnsettled", self.failed),
            ("ShardsWithMore", self.shards_with_more),
        ];
        telemetry::count(now, &counted, &[]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_left_something_says_so() {
        let done = Done { settled: 3, lost: 1, ..Done::default() };
        let done = || Summary { done, shards_with_more: 1, ..Summary::default() };
        assert_eq!(done().complete(0).expect("complete"), done());
        assert!(matches!(done().complete(2), Err(Failure::Incomplete(2))));
        let failed = Summary { failed: 3, ..done() };
        assert!(matches!(failed.complete(0), Err(Failure::Incomplete(3))));
        assert!(matches!(Summary { failed: 3, ..done() }.complete(2), Err(Failure::Incomplete(5))));
    }
}
