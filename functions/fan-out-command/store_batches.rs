//! Stores the things of a page as batches, so that reading the same page again stores nothing twice.
//!
//! The number of the first batch of a page is in the plan. An invocation that reads the page again, because the first
//! one crashed before it wrote the plan, finds these batches. Things that have been added to the page since go into
//! later batches.

use std::collections::HashSet;

use aws::{Error, PutOutcome};
use domain::{Batch, BatchNumber, Command, Fleet, Plan, ThingName};

use super::planner::{Planner, StepOutcome};

/// The batches of a page.
#[derive(Debug)]
pub struct StoredBatches {
    /// How many things are in them.
    pub things: u64,
    /// The number after the last batch.
    pub next_batch: BatchNumber,
}

impl Planner<'_> {
    /// Stores names as batches with numbers from `first` on.
    pub async fn store_batches(
        &self,
        command: &Command,
        fleet: &Fleet,
        first: BatchNumber,
        mut names: Vec<ThingName>,
    ) -> Result<StoredBatches, Error> {
        let mut stored = StoredBatches { things: 0, next_batch: first };
        while !names.is_empty() {
            let number = stored.next_batch;
            let rest = names.split_off(names.len().min(Batch::MAX_SIZE));
            let (things, rest) =
                match self.clients.fleets.put_things(&command.id, number, &names, command.purge_at()).await? {
                    PutOutcome::Stored => (names, rest),
                    PutOutcome::Exists(existing) => {
                        let known: HashSet<_> = existing.iter().collect();
                        let new = names.into_iter().chain(rest).filter(|name| !known.contains(name)).collect();
                        (*existing, new)
                    }
                };
            stored.things += u64::from(self.put_batch(command, fleet, number, &things).await?);
            stored.next_batch = number.saturating_add(1);
            names = rest;
        }
        Ok(stored)
    }

    /// Completes the plan, unless another invocation has stored a batch that the plan does not have: then that is
    /// added.
    pub async fn finish_reading(&self, command: &Command, fleet: &Fleet, plan: &Plan) -> Result<StepOutcome, Error> {
        let next = match self.clients.fleets.things(&command.id, plan.batches).await? {
            None => plan.finish_reading(),
            Some(things) => {
                let things = self.put_batch(command, fleet, plan.batches, &things).await?;
                plan.with_found_batch(things.into(), self.now())
            }
        };
        self.write(next).await
    }

    /// Stores the batch of these things, unless it exists. Returns how many things it has.
    async fn put_batch(
        &self,
        command: &Command,
        fleet: &Fleet,
        number: BatchNumber,
        things: &[ThingName],
    ) -> Result<u16, Error> {
        let count = u16::try_from(things.len()).unwrap_or(u16::MAX);
        let batch = Batch::new(command, number, count, fleet.is_immediate(), self.now());
        self.clients.fleets.put_batch(&batch).await?;
        Ok(count)
    }
}
