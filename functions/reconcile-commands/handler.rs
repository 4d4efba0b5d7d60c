//! Finds what is due, decides what is owed, writes that. A device that answers in between wins: then there is nothing to do.

use aws::{DueFleet, Error};
use domain::{BatchNumber, By, CommandId, FLEET_SHARDS, Key, SHARDS, Timestamp};
use serde::Serialize;
use tokio::task::JoinSet;

use super::{
    events::{self, Tick},
    ticks::Ticks,
};
use crate::{
    cloud::Cloud,
    failure::{Failure, chain},
    stopwatch::Stopwatch,
    telemetry,
    turn::{Done, Turn},
    unsent,
};

/// What a run has done.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    #[serde(flatten)]
    done: Done,
    /// Could not be read or written: still due.
    failed: u64,
    /// Plans and batches whose time has come: those who see to them are told.
    woken: u64,
    /// Shards in which more may be due than one run takes: the next run goes on.
    shards_with_more: u64,
}

/// One run takes at most this many of each shard, the oldest first, and so ends well within its time.
const PER_SHARD: u16 = 250;

/// So many of a shard's are seen to at once.
const AT_ONCE: usize = 8;

/// Nothing is begun after this: what is under way then ends before the function's minute does.
const PATIENCE: u32 = 40;

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
    let since = Stopwatch::start();
    let mut shards = JoinSet::new();
    for shard in 0..SHARDS {
        let work = Work { cloud: cloud.clone(), now, token: format!("{request_id}/{shard}"), since };
        shards.spawn(async move { work.reconcile(shard).await });
    }
    for shard in 0..FLEET_SHARDS {
        let work = Work { cloud: cloud.clone(), now, token: String::new(), since };
        shards.spawn(async move { work.wake(shard).await });
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

/// What a shard's work needs.
#[derive(Clone)]
struct Work {
    cloud: Cloud,
    now: Timestamp,
    token: String,
    since: Stopwatch,
}

impl Work {
    /// What is due in a shard, several at once: a device that does not answer takes seconds, and others wait behind it.
    async fn reconcile(self, shard: u8) -> Result<Summary, Error> {
        let due = self.cloud.executions.due(shard, self.now, PER_SHARD).await?;
        let mut summary =
            Summary { shards_with_more: (due.len() == usize::from(PER_SHARD)).into(), ..Summary::default() };
        let (mut due, mut under_way) = (due.into_iter(), JoinSet::new());
        loop {
            while under_way.len() < AT_ONCE && self.since.seconds() < PATIENCE {
                match due.next() {
                    Some(Ok(key)) => {
                        let work = self.clone();
                        under_way.spawn(async move { work.settle(&key).await });
                    }
                    // One bad row never stops the rest.
                    Some(Err(error)) => summary.unsettled(shard, &error),
                    None => break,
                }
            }
            match under_way.join_next().await {
                Some(Ok(Ok(done))) => summary.done += done,
                Some(Ok(Err(error))) => summary.unsettled(shard, &error),
                Some(Err(error)) => summary.unsettled(shard, &error),
                None => break,
            }
        }
        if due.next().is_some() {
            summary.shards_with_more = 1;
        }
        Ok(summary)
    }

    /// Tells whoever sees to plans and batches of those that are due.
    async fn wake(self, shard: u8) -> Result<Summary, Error> {
        let due = self.cloud.fleets.due(shard, self.now, PER_SHARD).await?;
        let mut summary =
            Summary { shards_with_more: (due.len() == usize::from(PER_SHARD)).into(), ..Summary::default() };
        for found in due {
            let woken = match found {
                Ok(DueFleet::Plan(id)) => self.wake_plan(&id).await,
                Ok(DueFleet::Batch(id, number)) => self.wake_batch(&id, number).await,
                Err(error) => Err(error),
            };
            match woken {
                Ok(()) => summary.woken += 1,
                Err(error) => summary.unsettled(shard, &error),
            }
        }
        Ok(summary)
    }

    /// Whoever else has written it meanwhile has woken someone.
    async fn wake_plan(&self, id: &CommandId) -> Result<(), Error> {
        let plan = self.cloud.fleets.plan(id).await?;
        if let Some(plan) = plan.filter(|plan| plan.due_at.is_some_and(|due| due <= self.now.as_seconds())) {
            self.cloud.fleets.write_plan(&plan.kicked(self.now)).await?;
        }
        Ok(())
    }

    async fn wake_batch(&self, id: &CommandId, number: BatchNumber) -> Result<(), Error> {
        let batch = self.cloud.fleets.batch(id, number).await?;
        if let Some(batch) = batch.filter(|batch| batch.due_at.is_some_and(|due| due <= self.now.as_seconds())) {
            self.cloud.fleets.write_batch(&batch.kicked(self.now)).await?;
        }
        Ok(())
    }

    async fn settle(&self, key: &Key) -> Result<Done, Error> {
        let (by, since) = (By::function("reconcile-commands"), self.since);
        let turn = Turn { cloud: &self.cloud, now: self.now, by, token: &self.token, since };
        // The index lags.
        let Some(row) = turn.read(key).await? else { return Ok(Done::default()) };
        let row = unsent::seen(&self.cloud, row).await?;
        let settled = turn.drive(row).await;
        if settled.is_err() {
            // Others that are due do not wait behind what fails again and again.
            if let Some(row) = turn.read(key).await?
                && let Some(later) = row.postponed(self.now)
            {
                turn.write(row, &later).await?;
            }
        }
        settled
    }
}

impl Summary {
    fn unsettled(&mut self, shard: u8, error: &dyn std::error::Error) {
        tracing::warn!(error = chain(error), shard, "something due could not be settled");
        self.failed += 1;
    }

    fn add(&mut self, other: &Self) {
        self.done += other.done;
        self.failed += other.failed;
        self.woken += other.woken;
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
            ("FleetsWoken", self.woken),
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
