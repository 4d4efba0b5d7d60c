//! The due executions of one shard: each is driven until it is idle.

use aws::Error;
use domain::{Actor, Key};
use driver::broadcast_state::with_broadcast_state;
use driver::driver::Driver;
use driver::run::DriveStats;
use runtime::clients::Clients;
use runtime::event_clock::EventClock;
use tokio::task::JoinSet;

use super::summary::Summary;

/// The most due entries of a shard in one run, the oldest first. The others stay due until the next run.
pub(super) const MAX_DUE_PER_SHARD: u16 = 250;

/// The executions of a shard that are driven at the same time.
const CONCURRENCY_PER_SHARD: usize = 8;

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
}

impl DueExecutions {
    /// Drives the due executions of a shard. Several at the same time: a device that does not acknowledge takes
    /// seconds.
    pub async fn drive_shard(self, shard: u8) -> Result<Summary, Error> {
        let due = self.clients.executions.due(shard, self.clock.event_time(), MAX_DUE_PER_SHARD).await?;
        let mut summary =
            Summary { shards_with_more: (due.len() == usize::from(MAX_DUE_PER_SHARD)).into(), ..Summary::default() };
        let (mut due, mut tasks) = (due.into_iter(), JoinSet::new());
        loop {
            while tasks.len() < CONCURRENCY_PER_SHARD && self.clock.elapsed_seconds() < START_CUTOFF_SECONDS {
                match due.next() {
                    Some(Ok(key)) => {
                        let shard = self.clone();
                        tasks.spawn(async move { shard.drive(&key).await });
                    }
                    // A row that can't be read does not stop the others.
                    Some(Err(error)) => summary.add_failure(shard, &error),
                    None => break,
                }
            }
            match tasks.join_next().await {
                Some(Ok(Ok(stats))) => summary.stats += stats,
                Some(Ok(Err(error))) => summary.add_failure(shard, &error),
                Some(Err(error)) => summary.add_failure(shard, &error),
                None => break,
            }
        }
        if due.next().is_some() {
            summary.shards_with_more = 1;
        }
        Ok(summary)
    }

    async fn drive(&self, key: &Key) -> Result<DriveStats, Error> {
        let actor = Actor::function("reconcile-commands");
        let driver = Driver { clients: &self.clients, clock: self.clock, actor, token: &self.token };
        // The index is eventually consistent: the row may have been deleted.
        let Some(row) = driver.read(key).await? else { return Ok(DriveStats::default()) };
        let row = with_broadcast_state(&self.clients, row).await?;
        let driven = driver.run_until_idle(row).await;
        if driven.is_err() {
            // The oldest entries come first, so a row that fails each time must not keep the others from their turn.
            if let Some(row) = driver.read(key).await?
                && let Some(later) = row.postpone_due(driver.event_time())
            {
                driver.write(row, &later).await?;
            }
        }
        driven
    }
}
