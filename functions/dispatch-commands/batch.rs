//! One batch: whatever is owed to it is done. It is claimed first, so that nobody else sees to it too, and then it is written what was done;
//! whoever does not live to write that is followed by someone else.
//!
//! # What still goes out once a fleet command is stopped
//!
//! The command is read once after a batch was claimed. So whoever reads it after it was stopped, by its criteria or by an operator, sends
//! nothing; whoever had read it before goes on to the end of the batch. At most one batch for each record that an invocation has in hand
//! can be at that point, and of each shard as many invocations run as its readers:
//!
//! > shards of the commands' stream x `ParallelizationFactor` x `BatchSize` x [`Batch::LARGEST`]
//!
//! With the template's 10 and 10 these are 10,000 things a shard, however large the fleet is; what a rollout has not let go is never among
//! them. A criterion is judged once what ended is counted, a second after it is in the table. `tests/fleet/abort.rs` holds it.

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
    /// A turn that begins now: how long a thing takes is not how long those before it took.
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
        let mut touched = false;
        for _ in 0..TRIES {
            let Some(batch) = self.cloud.fleets.batch(id, number).await? else { return Ok(None) };
            // It was written, and only the answer was lost.
            if batch.is_claimed_by(token) {
                return Ok(Some((batch, touched)));
            }
            touched = batch.done > 0 || batch.claim.is_some() || batch.watch_at.is_some();
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
        let duties = batch.duties(&command.control, self.time());
        work.held = duties.hold;
        let ttl = command.definition.deadlines.ttl();
        if duties.hold && touched && batch.watch_at.is_none() {
            // Whoever had claimed it has died: what he had sent is looked after, though no more goes out.
            work.watch_at = Some(Some(self.time().plus_seconds(ttl)));
        }
        if !(duties.call_off || duties.watch || duties.go_out) {
            return Ok((work, summary));
        }
        let things = self.cloud.fleets.things(&command.id, batch.number).await?;
        let things = things.ok_or_else(|| Error::gone(format!("{}/{}", command.id, batch.number)))?;
        let mut watch_at = batch.watch_at;
        if duties.call_off {
            if touched {
                watch_at = self.call_off(command, &things, &mut summary).await?;
            }
            work.called_off = Some(command.control.generation);
        } else if duties.watch {
            watch_at = self.watch(command, &things, &mut summary).await?;
        }
        if duties.go_out {
            self.send(command, batch, &things, &mut work, &mut summary).await;
            let broadcast = command.definition.target.fleet().is_some_and(|fleet| fleet.broadcast.is_some());
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
