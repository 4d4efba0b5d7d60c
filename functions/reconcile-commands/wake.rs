//! Does what a wake says is due: reads the row, the plan or the batch, and decides by that.

use aws::{Due, Error};
use domain::{Key, Wake};
use driver::drive_stats::DriveStats;
use tokio::task::JoinSet;

use super::due_executions::DueExecutions;
use super::due_fleets::DueFleets;
use super::summary::Summary;

/// The most entries that one query reads.
const PAGE_SIZE: u16 = 250;

impl DueExecutions {
    /// Does what a wake says is due. The clock of this work shows the time of the wake or a later one.
    pub(super) async fn handle_wake(&self, wake: &Wake) -> Result<Summary, Error> {
        let fleets = || DueFleets { clients: self.clients.clone(), now: self.clock.event_time() };
        match wake {
            Wake::Execution { key, due, .. } => Ok(self.look_at(key, *due).await?.into()),
            Wake::Run(run) => self.run(run).await,
            Wake::Second { shard, at } => self.look_at_second(*shard, *at).await,
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
        let (mut summary, mut tasks, mut after) = (Summary::default(), JoinSet::new(), None);
        loop {
            let page = self.clients.executions.due(shard, &(at..=at), after, PAGE_SIZE).await?;
            for Due { item, .. } in page.entries {
                match item {
                    Ok(key) => {
                        // The semaphore is never closed, so there always is a permit.
                        let permit = self.permits.clone().acquire_owned().await.ok();
                        let due = self.clone();
                        tasks.spawn(async move {
                            let _permit = permit;
                            due.look_at(&key, at).await
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

    async fn look_at(&self, key: &Key, due: i64) -> Result<DriveStats, Error> {
        self.driver().drive_wake(key, due).await
    }
}
