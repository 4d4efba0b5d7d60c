//! Works through the due executions of a shard: a tick by itself where they are few, else by messages to this function,
//! as many as it takes. So a backlog is worked off by several processes, and holds up no tick.
//!
//! A run holds the lease of its shard, so that no second run does the same work at the same time, and slowness makes no
//! more of it. A run that crashes leaves its lease to its end, and its work to a later tick.

use aws::{Error, Lease};
use domain::{ShardRun, Timestamp, Wake};
use runtime::handler_error::chain;

use super::due_executions::{DueExecutions, ShardProgress};
use super::summary::Summary;

impl DueExecutions {
    /// Drives the due executions of a shard, or hands them over to a run: where they are more than a page, or this
    /// invocation has no time left for them.
    pub async fn reconcile_shard(self, shard: u8) -> Result<Summary, Error> {
        let range = 0..=self.clock.event_time().as_seconds();
        let page = self.page(shard, &range, None).await?;
        if page.next.is_some() {
            let from = page.entries.first().map_or(0, |due| due.at);
            return self.hand_over(shard, from).await;
        }
        let ShardProgress { mut summary, left, .. } = self.drive_pages(shard, &range, page).await?;
        if let Some(from) = left {
            summary.add(&self.hand_over(shard, from).await?);
        }
        Ok(summary)
    }

    /// Starts a run through a shard, unless there is one.
    async fn hand_over(&self, shard: u8, from: i64) -> Result<Summary, Error> {
        let (lease, at) = (self.token.clone(), self.clock.now());
        if !self.take_lease(shard, &lease, None, at).await? {
            return Ok(Summary::default());
        }
        self.send_run(ShardRun { shard, from, at, lease, hops: 0 }).await
    }

    /// Works through a shard, from where the messages of the run before this one have come to.
    pub(super) async fn run(&self, run: &ShardRun) -> Result<Summary, Error> {
        let ShardRun { shard, from, ref lease, .. } = *run;
        let started = self.clock.now();
        if !self.take_lease(shard, &self.token, Some(lease), started).await? {
            return Ok(Summary::default());
        }
        let range = from..=started.as_seconds();
        let page = self.page(shard, &range, None).await?;
        let ShardProgress { mut summary, passed, left } = self.drive_pages(shard, &range, page).await?;
        let next = left.and_then(|from| run.go_on(from, passed, self.clock.now(), self.token.clone()));
        match next {
            Some(next) => summary.add(&self.send_run(next).await?),
            None => {
                if let Err(error) = self.clients.executions.release_lease(Lease::Shard(shard), &self.token).await {
                    tracing::warn!(
                        error = chain(&error),
                        shard,
                        "the lease of a shard could not be given back: it ends"
                    );
                }
            }
        }
        Ok(summary)
    }

    async fn take_lease(&self, shard: u8, token: &str, before: Option<&str>, now: Timestamp) -> Result<bool, Error> {
        let until = ShardRun::lease_until(now);
        self.clients.executions.take_lease(Lease::Shard(shard), token, before, now, until).await
    }

    async fn send_run(&self, run: ShardRun) -> Result<Summary, Error> {
        self.clients.wakes.try_send(&[Wake::Run(run)], self.clock).await?;
        Ok(Summary { runs_handed_over: 1, ..Summary::default() })
    }
}
