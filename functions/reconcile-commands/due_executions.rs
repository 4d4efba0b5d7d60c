//! Drives the due executions of one shard until each is idle: page by page, while the time of the invocation lasts.

use std::ops::RangeInclusive;
use std::sync::Arc;

use aws::{Due, DueCursor, DuePage, Error};
use domain::{Actor, Key};
use driver::drive_stats::DriveStats;
use runtime::clients::Clients;
use runtime::event_calls::{Driver, driver};
use runtime::event_clock::EventClock;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::summary::Summary;

/// The most entries of a shard that one query reads.
const PAGE_SIZE: u16 = 250;

/// The executions that are driven at the same time: in all shards of an invocation.
pub(super) const MAX_CONCURRENT: usize = 64;

/// After this time no further execution is driven, so that those in progress end within the timeout of the function, a
/// minute.
const START_CUTOFF_SECONDS: u32 = 40;

/// The work on one shard.
#[derive(Clone)]
pub(super) struct DueExecutions {
    pub clients: Clients,
    pub clock: EventClock,
    /// A part of the token of each claim: the same when Lambda retries the event.
    pub token: String,
    /// Limits how many executions are driven at the same time.
    pub permits: Arc<Semaphore>,
}

/// How far a shard was worked through.
#[derive(Debug, Default)]
pub(super) struct ShardProgress {
    pub summary: Summary,
    /// How many entries were passed.
    pub passed: u64,
    /// The first entry that was not, if the time was over before the end.
    pub left: Option<i64>,
}

impl DueExecutions {
    /// Drives the executions of a shard whose entries are in `range`, from `page` on. Several at the same time: a device
    /// that does not acknowledge takes seconds.
    pub(super) async fn drive_pages(
        &self,
        shard: u8,
        range: &RangeInclusive<i64>,
        mut page: DuePage<Key>,
    ) -> Result<ShardProgress, Error> {
        let (mut progress, mut tasks) = (ShardProgress::default(), JoinSet::new());
        let mut last = *range.start();
        'pages: loop {
            for Due { item, at } in page.entries {
                // The semaphore is never closed, so there always is a permit.
                let permit = self.permits.clone().acquire_owned().await.ok();
                if self.is_time_over() {
                    progress.left = Some(at);
                    break 'pages;
                }
                last = at;
                progress.passed += 1;
                match item {
                    Ok(key) => {
                        let due = self.clone();
                        tasks.spawn(async move {
                            let _permit = permit;
                            due.drive(&key).await
                        });
                    }
                    // A row that can't be read does not stop the others.
                    Err(error) => progress.summary.add_failure(shard, &error),
                }
                while let Some(driven) = tasks.try_join_next() {
                    progress.summary.add_driven(shard, driven);
                }
            }
            page = match page.next {
                None => break,
                Some(_) if self.is_time_over() => {
                    progress.left = Some(last);
                    break;
                }
                next => self.page(shard, range, next).await?,
            };
        }
        while let Some(driven) = tasks.join_next().await {
            progress.summary.add_driven(shard, driven);
        }
        Ok(progress)
    }

    /// A page of the entries of a shard.
    pub(super) async fn page(
        &self,
        shard: u8,
        range: &RangeInclusive<i64>,
        after: Option<DueCursor>,
    ) -> Result<DuePage<Key>, Error> {
        self.clients.executions.due(shard, range, after, PAGE_SIZE).await
    }

    pub(super) fn is_time_over(&self) -> bool {
        self.clock.elapsed_seconds() >= START_CUTOFF_SECONDS
    }

    async fn drive(&self, key: &Key) -> Result<DriveStats, Error> {
        self.driver().drive_due(key).await
    }

    pub(super) fn driver(&self) -> Driver<'_> {
        driver(&self.clients, self.clock, Actor::function("reconcile-commands"), &self.token)
    }
}
