//! One batch: whatever is owed to it is done. It is claimed first, so that nobody else sees to it too, and then it is written what was done;
//! whoever does not live to write that is followed by someone else.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::Arc,
};

use aws::Error;
use domain::{Batch, BatchNumber, By, Command, CommandId, ControlState, Timestamp, Worked};
use serde::Serialize;

use super::throttle::Throttle;
use crate::{cloud::Cloud, stopwatch::Stopwatch, turn::Turn};

/// What was done for batches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Batches that were seen to.
    pub batches: u64,
    /// Executions that were stored.
    pub stored: u64,
    /// Things that another batch has too.
    pub duplicates: u64,
    /// Things that could not be seen to: they are tried again.
    pub failed: u64,
    /// Executions that were looked at.
    pub watched: u64,
    /// Executions that were called off.
    pub called_off: u64,
}

/// Who sees to batches, since when, and with what.
#[derive(Clone, Debug)]
pub struct Dispatcher {
    pub cloud: Cloud,
    pub now: Timestamp,
    pub since: Stopwatch,
    pub token: String,
    pub throttle: Throttle,
}

/// Others may write to a batch that is to be claimed or written, a few times.
const TRIES: usize = 8;

impl Dispatcher {
    /// A turn at one execution, which begins now: others of the batch may have taken a while.
    pub(super) fn turn(&self) -> Turn<'_> {
        let by = By::function("dispatch-commands");
        Turn { cloud: &self.cloud, now: self.time(), by, token: &self.token, since: Stopwatch::start() }
    }

    /// What time it is.
    pub(super) fn time(&self) -> Timestamp {
        self.now.plus_seconds(self.since.seconds())
    }

    /// Does what is owed to a batch.
    pub async fn see_to(self: &Arc<Self>, id: &CommandId, number: BatchNumber) -> Result<Summary, Error> {
        let token = format!("{}/{:x}", self.token, RandomState::new().build_hasher().finish());
        let Some((batch, touched)) = self.claim(id, number, &token).await? else { return Ok(Summary::default()) };
        // Read after the claim: who changes its control after this finds the batch claimed.
        let Some(command) = self.cloud.commands.get(id).await? else {
            tracing::error!(command = %id, number, "the command of a batch is gone");
            return Ok(Summary::default());
        };
        let command = Arc::new(command);
        let (work, summary) = self.work(&command, &batch, touched).await?;
        self.release(&batch, &token, &work).await?;
        if work.held {
            self.unhold(id, number).await?;
        }
        Ok(summary)
    }

    /// Claims a batch; none if there is nothing to do, or someone else does it. Also whether executions of it may be there.
    async fn claim(&self, id: &CommandId, number: BatchNumber, token: &str) -> Result<Option<(Batch, bool)>, Error> {
        for _ in 0..TRIES {
            let Some(batch) = self.cloud.fleets.batch(id, number).await? else { return Ok(None) };
            let touched = batch.done > 0 || batch.claim.is_some();
            let Some(claimed) = batch.claimed(self.time(), token) else { return Ok(None) };
            if self.cloud.fleets.write_batch(&claimed).await? {
                return Ok(Some((claimed, touched)));
            }
        }
        Err(Error::busy("claiming a batch", format!("{id}/{number}")))
    }

    async fn work(
        self: &Arc<Self>,
        command: &Arc<Command>,
        batch: &Batch,
        touched: bool,
    ) -> Result<(Worked, Summary), Error> {
        let mut work = Worked::default();
        let mut summary = Summary { batches: 1, ..Summary::default() };
        let called_off = batch.is_to_be_called_off(&command.control);
        let goes_out = !command.control.is_canceled() && batch.is_to_go_out();
        work.held = goes_out && command.control.state == ControlState::Paused;
        let to_watch = batch.watch_at.is_some_and(|at| at <= self.time());
        if !(called_off || to_watch || goes_out && !work.held) {
            return Ok((work, summary));
        }
        let things = self.cloud.fleets.things(&command.id, batch.number).await?;
        let things = things.ok_or_else(|| Error::gone(format!("{}/{}", command.id, batch.number)))?;
        let mut watch_at = batch.watch_at;
        if called_off {
            if touched {
                watch_at = self.call_off(command, &things, &mut summary).await?;
            }
            work.called_off = Some(command.control.generation);
        } else if to_watch {
            watch_at = self.watch(command, &things, &mut summary).await?;
        }
        if goes_out && !work.held {
            self.send(command, batch, &things, &mut work, &mut summary).await;
            let broadcast = command.definition.target.fleet().is_some_and(|fleet| fleet.broadcast.is_some());
            let ttl = command.definition.deadlines.ttl();
            let until = if broadcast { command.start_by() } else { self.time().plus_seconds(ttl) };
            watch_at = Some(watch_at.map_or(until, |at| at.min(until)));
        }
        work.watch_at = Some(watch_at);
        Ok((work, summary))
    }

    /// Writes what was done. What others have asked for meanwhile is left for the next.
    async fn release(&self, claimed: &Batch, token: &str, work: &Worked) -> Result<(), Error> {
        let mut batch = claimed.clone();
        for _ in 0..TRIES {
            if self.cloud.fleets.write_batch(&batch.worked(work, self.time())).await? {
                return Ok(());
            }
            match self.cloud.fleets.batch(&batch.command, batch.number).await? {
                Some(now) if now.is_claimed_by(token) => batch = now,
                // The answer to the write was lost, or it took so long that someone else has claimed it.
                _ => return Ok(()),
            }
        }
        Err(Error::busy("writing what was done for a batch", format!("{}/{}", batch.command, batch.number)))
    }

    /// It was found paused. If it was resumed before that was written, whoever resumed it may have passed it by.
    async fn unhold(&self, id: &CommandId, number: BatchNumber) -> Result<(), Error> {
        let command = self.cloud.commands.get(id).await?;
        if command.is_some_and(|command| command.control.state == ControlState::Paused) {
            return Ok(());
        }
        for _ in 0..TRIES {
            let Some(batch) = self.cloud.fleets.batch(id, number).await? else { return Ok(()) };
            if batch.ready || self.cloud.fleets.write_batch(&batch.kicked(self.time())).await? {
                return Ok(());
            }
        }
        Err(Error::busy("resuming a batch", format!("{id}/{number}")))
    }
}

impl std::ops::AddAssign for Summary {
    fn add_assign(&mut self, other: Self) {
        self.batches += other.batches;
        self.stored += other.stored;
        self.duplicates += other.duplicates;
        self.failed += other.failed;
        self.watched += other.watched;
        self.called_off += other.called_off;
    }
}
