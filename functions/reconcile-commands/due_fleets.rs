//! The due plans and batches of one shard: each is marked ready, and the record of that write in the stream of commands
//! wakes the function that processes it.

use aws::{DueFleet, Error};
use domain::{BatchNumber, CommandId, Timestamp};
use runtime::clients::Clients;

use super::due_executions::MAX_DUE_PER_SHARD;
use super::summary::Summary;

/// The work on one shard.
pub(super) struct DueFleets {
    pub clients: Clients,
    pub now: Timestamp,
}

impl DueFleets {
    /// Marks the due plans and batches of a shard ready.
    pub async fn wake_shard(self, shard: u8) -> Result<Summary, Error> {
        let due = self.clients.fleets.due(shard, self.now, MAX_DUE_PER_SHARD).await?;
        let mut summary =
            Summary { shards_with_more: (due.len() == usize::from(MAX_DUE_PER_SHARD)).into(), ..Summary::default() };
        for entry in due {
            let woken = match entry {
                Ok(DueFleet::Plan(id)) => self.wake_plan(&id).await,
                Ok(DueFleet::Batch(id, number)) => self.wake_batch(&id, number).await,
                Err(error) => Err(error),
            };
            match woken {
                Ok(()) => summary.woken += 1,
                Err(error) => summary.add_failure(shard, &error),
            }
        }
        Ok(summary)
    }

    /// A write that is lost is not retried: the stream record of the other write wakes the function too.
    async fn wake_plan(&self, id: &CommandId) -> Result<(), Error> {
        let plan = self.clients.fleets.plan(id).await?;
        if let Some(plan) = plan.filter(|plan| plan.due_at.is_some_and(|due| due <= self.now.as_seconds())) {
            self.clients.fleets.write_plan(&plan.mark_ready(self.now)).await?;
        }
        Ok(())
    }

    async fn wake_batch(&self, id: &CommandId, number: BatchNumber) -> Result<(), Error> {
        let batch = self.clients.fleets.batch(id, number).await?;
        if let Some(batch) = batch.filter(|batch| batch.due_at.is_some_and(|due| due <= self.now.as_seconds())) {
            self.clients.fleets.write_batch(&batch.mark_ready(self.now)).await?;
        }
        Ok(())
    }
}
