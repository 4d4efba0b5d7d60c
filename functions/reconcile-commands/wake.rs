//! Does what a wake says is due: reads the row, the plan or the batch, and decides by that.

use std::ops::RangeInclusive;

use aws::{Due, Error};
use domain::wake::early::{Entry, place_of};
use domain::{Key, Wake};
use driver::drive_stats::DriveStats;
use tokio::task::JoinSet;

use super::due_executions::DueExecutions;
use super::due_fleets::DueFleets;
use super::early::{self, Look};
use super::summary::Summary;

/// The most entries that one query reads.
const PAGE_SIZE: u16 = 250;

impl DueExecutions {
    /// Does what a wake says is due. The clock of this work shows the time of the wake or a later one.
    pub(super) async fn handle_wake(&self, wake: &Wake) -> Result<Summary, Error> {
        let fleets = || DueFleets { clients: self.clients.clone(), now: self.clock.event_time() };
        match wake {
            Wake::Execution { key, due, .. } => Ok(self.driver().drive_wake(key, *due).await?.into()),
            Wake::Run(run) => self.run(run).await,
            Wake::Second { shard, at } => self.look_at_second(*shard, *at).await,
            Wake::Early { shard, first, last, .. } => self.withdraw_early(*shard, *first..=*last).await,
            Wake::LookAhead { until, command, is_first, .. } => {
                let look = Look { until: *until, command: command.as_ref(), is_first: *is_first };
                early::look(&self.clients, self.clock, &self.token, look).await.map(|()| Summary::default())
            }
            Wake::Fleet { shard, at } => fleets().wake_shard(*shard, *at..=*at).await,
            Wake::Batch { command, number, .. } => {
                fleets().wake_batch(command, *number).await.map(|()| Summary { woken: 1, ..Summary::default() })
            }
            Wake::Step { command, .. } => {
                fleets().wake_plan(command).await.map(|()| Summary { woken: 1, ..Summary::default() })
            }
        }
    }

    /// Looks at all executions of a shard whose entry is `at`.
    async fn look_at_second(&self, shard: u8, at: i64) -> Result<Summary, Error> {
        let drive = |due: Self, key: Key, at| async move { due.driver().drive_wake(&key, at).await };
        self.each_due(shard, at..=at, |_, _| true, drive).await
    }

    /// Withdraws the requests of the executions of a shard with these entries.
    async fn withdraw_early(&self, shard: u8, entries: RangeInclusive<Entry>) -> Result<Summary, Error> {
        let is_meant = |key: &Key, due| entries.contains(&Entry { due, place: place_of(&key.id) });
        let drive = |due: Self, key: Key, at| async move { due.driver().withdraw_early(&key, at).await };
        self.each_due(shard, entries.start().due..=entries.end().due, is_meant, drive).await
    }

    /// Drives executions of a shard whose entries are in `range`, several at the same time.
    async fn each_due<F: Future<Output = Result<DriveStats, Error>> + Send + 'static>(
        &self,
        shard: u8,
        range: RangeInclusive<i64>,
        is_meant: impl Fn(&Key, i64) -> bool,
        drive: impl Fn(Self, Key, i64) -> F,
    ) -> Result<Summary, Error> {
        let (mut summary, mut tasks, mut after) = (Summary::default(), JoinSet::new(), None);
        loop {
            let page = self.clients.executions.due(shard, &range, after, PAGE_SIZE).await?;
            for Due { item, at } in page.entries {
                match item {
                    Ok(key) if !is_meant(&key, at) => {}
                    Ok(key) => {
                        // The semaphore is never closed, so there always is a permit.
                        let permit = self.permits.clone().acquire_owned().await.ok();
                        let driven = drive(self.clone(), key, at);
                        tasks.spawn(async move {
                            let _permit = permit;
                            driven.await
                        });
                    }
                    Err(error) => summary.add_failure(shard, &error),
                }
            }
            after = page.next;
            if after.is_none() || self.is_time_over() {
                break;
            }
        }
        while let Some(driven) = tasks.join_next().await {
            summary.add_driven(shard, driven);
        }
        Ok(summary)
    }
}
