//! The due plans and batches of one shard: each is marked ready, and the record of that write in the stream of commands
//! wakes the function that processes it.

use std::ops::RangeInclusive;

use aws::{Due, DueFleet, Error};
use domain::{BatchNumber, CommandId, Timestamp};
use runtime::clients::Clients;

use super::summary::Summary;

/// The most entries of a shard that one query reads.
const PAGE_SIZE: u16 = 250;

/// The work on plans and batches.
pub(super) struct DueFleets {
    pub clients: Clients,
    pub now: Timestamp,
}

impl DueFleets {
    /// Marks the plans and batches of a shard ready whose entries are in `range`, all of which have come up.
    pub async fn wake_shard(self, shard: u8, range: RangeInclusive<i64>) -> Result<Summary, Error> {
        let mut summary = Summary::default();
        let mut page = self.clients.fleets.due(shard, &range, None, PAGE_SIZE).await?;
        loop {
            for Due { item, .. } in page.entries {
                let woken = match item {
                    Ok(DueFleet::Plan(id)) => self.wake_due_plan(&id).await,
                    Ok(DueFleet::Batch(id, number)) => self.wake_batch(&id, number).await,
                    Err(error) => Err(error),
                };
                match woken {
                    Ok(()) => summary.woken += 1,
                    Err(error) => summary.add_failure(shard, &error),
                }
            }
            page = match page.next {
                None => return Ok(summary),
                next => self.clients.fleets.due(shard, &range, next, PAGE_SIZE).await?,
            };
        }
    }

    /// A write that is lost is not retried: the stream record of the other write wakes the function too.
    async fn wake_due_plan(&self, id: &CommandId) -> Result<(), Error> {
        let plan = self.clients.fleets.plan(id).await?;
        if let Some(plan) = plan.filter(|plan| plan.due_at.is_some_and(|due| due <= self.now.as_seconds())) {
            self.clients.fleets.write_plan(&plan.mark_ready(self.now)).await?;
        }
        Ok(())
    }

    /// Marks a plan ready that has a step to take, unless it has nothing left to do.
    pub async fn wake_plan(&self, id: &CommandId) -> Result<(), Error> {
        let plan = self.clients.fleets.plan(id).await?;
        if let Some(plan) = plan.filter(|plan| !plan.closed && plan.due_at.is_some()) {
            self.clients.fleets.write_plan(&plan.mark_ready(self.now)).await?;
        }
        Ok(())
    }

    /// Marks a batch ready that is due.
    pub async fn wake_batch(&self, id: &CommandId, number: BatchNumber) -> Result<(), Error> {
        let batch = self.clients.fleets.batch(id, number).await?;
        if let Some(batch) = batch.filter(|batch| batch.due_at.is_some_and(|due| due <= self.now.as_seconds())) {
            self.clients.fleets.write_batch(&batch.mark_ready(self.now)).await?;
        }
        Ok(())
    }
}
