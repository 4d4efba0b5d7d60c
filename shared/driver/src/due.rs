//! Drives an execution that is due: a reconciler has found it, or its wake has come.

use calls::{Calls, Error, WriteOutcome};
use domain::{Execution, Key};

use crate::drive_stats::DriveStats;
use crate::driver::Driver;

impl<C: Calls> Driver<'_, C> {
    /// Drives the execution of a due entry until it is idle. If that fails, it is postponed: the oldest entries come
    /// first, so a row that fails each time must not keep the others from their turn.
    ///
    /// # Errors
    /// A failed read or write. What was done before it stays done.
    pub async fn drive_due(&self, key: &Key) -> Result<DriveStats, Error> {
        // The index is eventually consistent: the row may have been deleted.
        let Some(row) = self.read(key).await? else { return Ok(DriveStats::default()) };
        let row = self.with_broadcast_state(row).await?;
        let driven = self.run_until_idle(row).await;
        if driven.is_err()
            && let Some(row) = self.read(key).await?
            && let Some(later) = row.postpone_due(self.event_time())
        {
            self.write(row, &later).await?;
        }
        driven
    }

    /// Ends the execution of the due entry `due` before its time, so that its request leaves its shadow in time: many
    /// others are due with it. What can't be ended early is left to its time.
    ///
    /// # Errors
    /// A failed read or write. What was done before it stays done.
    pub async fn withdraw_early(&self, key: &Key, due: i64) -> Result<DriveStats, Error> {
        let mut stats = DriveStats::default();
        let row = self.read(key).await?.filter(|row| row.due_at == Some(due));
        let Some(mut row) = row else { return Ok(stats) };
        let mut retries = self.retries("withdrawing a request early", row.key.clone());
        while let Some(change) = row.withdraw_early(self.event_time(), &self.actor) {
            let change = self.with_clean_shadow(&row, Box::new(change)).await;
            row = match self.write(row, &change).await? {
                WriteOutcome::Applied(ended) => {
                    stats.settled += 1;
                    stats += self.run_until_idle(ended).await?;
                    break;
                }
                // Its request may have left the shadow by now: it ends, unless its device has begun, or another function
                // has ended it.
                WriteOutcome::Conflict(changed) => {
                    stats.conflicts += 1;
                    changed
                }
                WriteOutcome::NotFound => break,
            };
            retries.wait().await?;
        }
        Ok(stats)
    }

    /// Does what the wake of the due entry `due` says is due, in seconds since 1970. Another entry has another wake.
    ///
    /// # Errors
    /// A failed read or write.
    pub async fn drive_wake(&self, key: &Key, due: i64) -> Result<DriveStats, Error> {
        let row = self.read(key).await?.filter(|row| row.due_at == Some(due));
        let Some(row) = row else { return Ok(DriveStats::default()) };
        let row = self.with_broadcast_state(row).await?;
        match row.next_look_at(self.event_time()) {
            None => self.run_until_idle(row).await,
            // A device that was heard of may be silent for a while longer. Moving the entry would cost three write units
            // for each heartbeat that is missed by its wake, so it stays, and another message goes out for it. The next
            // tick moves the entry, and with it goes this chain of messages.
            Some(later) => {
                self.look_again(key, due, later).await;
                Ok(DriveStats::default())
            }
        }
    }

    /// This function could not claim the request: another one sends it, its device has reported, or its time has passed
    /// since the event. The entry that is due stays, and has no wake any more.
    pub(crate) async fn look_after_claim(&self, row: &Execution) -> Result<(), Error> {
        let Some(due) = row.due_at.filter(|due| *due <= self.now().as_seconds()) else { return Ok(()) };
        let row = self.read(&row.key).await?.filter(|row| row.due_at == Some(due));
        if let Some(row) = row {
            let at = row.next_look_at(self.now()).unwrap_or(due);
            self.look_again(&row.key, due, at).await;
        }
        Ok(())
    }
}
