//! Finds what is due, decides what is owed, writes that. A device that answers in between wins: then there is nothing to do.

use super::{
    events::{self, Tick},
    ticks::Ticks,
};
use crate::{
    failure::{Failure, chain},
    telemetry,
};
use aws::{Advanced, Error, Executions};
use domain::{Due, Key, SHARDS, Timestamp};
use serde::Serialize;
use tokio::task::JoinSet;

/// What a run has done.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Given up.
    settled: u64,
    /// Due later.
    extended: u64,
    /// Taken out of the index.
    cleared: u64,
    /// Someone else was faster.
    lost: u64,
    /// Could not be read or written: still due.
    failed: u64,
    /// Shards in which more may be due than one run takes: the next run goes on.
    shards_with_more: u64,
}

/// One run takes at most this many of each shard, the oldest first, and so ends well within its time.
const PER_SHARD: u16 = 250;

/// Handles one tick. The first of a minute sees to the others before its own work, which may take a while.
pub async fn handle(executions: &Executions, ticks: &Ticks, event: &str) -> Result<Summary, Failure> {
    let tick = events::decode(event)?;
    let queued = match tick {
        Tick::FirstOfMinute(first) => ticks.queue_rest(first).await.map_err(Failure::Aws),
        Tick::Later(_) => Ok(()),
    };
    let summary = run(executions, tick.at()).await;
    queued.and(summary)
}

async fn run(executions: &Executions, now: Timestamp) -> Result<Summary, Failure> {
    let mut shards = JoinSet::new();
    for shard in 0..SHARDS {
        let executions = executions.clone();
        shards.spawn(async move { reconcile(&executions, shard, now).await });
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

async fn reconcile(executions: &Executions, shard: u8, now: Timestamp) -> Result<Summary, Error> {
    let due = executions.due(shard, now, PER_SHARD).await?;
    let mut summary = Summary { shards_with_more: (due.len() == usize::from(PER_SHARD)).into(), ..Summary::default() };
    for key in due {
        let settled = match key {
            Ok(key) => settle(executions, &key, now, &mut summary).await,
            Err(error) => Err(error),
        };
        if let Err(error) = settled {
            // One bad row never stops the rest.
            tracing::warn!(error = chain(&error), shard, "something due could not be settled");
            summary.failed += 1;
        }
    }
    Ok(summary)
}

async fn settle(executions: &Executions, key: &Key, now: Timestamp, summary: &mut Summary) -> Result<(), Error> {
    let Some(execution) = executions.get(key).await? else { return Ok(()) };
    let (written, counter) = match execution.due(now) {
        Due::Nothing => return Ok(()),
        Due::Settle(change) => (executions.advance(&change).await?, &mut summary.settled),
        Due::Extend { key, from, to } => (executions.extend(&key, from, to).await?, &mut summary.extended),
        Due::Clear { key, from } => (executions.clear(&key, from).await?, &mut summary.cleared),
    };
    match written {
        Advanced::Written => *counter += 1,
        Advanced::OldNews(_) | Advanced::Unknown => summary.lost += 1,
    }
    Ok(())
}

impl Summary {
    fn add(&mut self, other: &Self) {
        self.settled += other.settled;
        self.extended += other.extended;
        self.cleared += other.cleared;
        self.lost += other.lost;
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
            ("ExecutionsSettled", self.settled),
            ("ExecutionsExtended", self.extended),
            ("ExecutionsCleared", self.cleared),
            ("RacesLost", self.lost),
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
        let done = || Summary { settled: 3, lost: 1, shards_with_more: 1, ..Summary::default() };
        assert_eq!(done().complete(0).expect("complete"), done());
        assert!(matches!(done().complete(2), Err(Failure::Incomplete(2))));
        let failed = Summary { failed: 3, ..done() };
        assert!(matches!(failed.complete(0), Err(Failure::Incomplete(3))));
        assert!(matches!(Summary { failed: 3, ..done() }.complete(2), Err(Failure::Incomplete(5))));
    }
}
