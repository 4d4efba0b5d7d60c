//! Drives an execution that is due.

use calls::{Calls, Error};
use domain::Key;

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
}
