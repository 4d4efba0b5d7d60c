//! Applies a report that ends an execution, or its current attempt.

use calls::{Calls, Error, WriteOutcome};
use domain::{Execution, Report};

use crate::driver::Driver;
use crate::report::ReportOutcome;

impl<C: Calls> Driver<'_, C> {
    /// Ends the execution or its attempt, and does the work that is left then. Where only the clean-up of its shadow is
    /// left, the shadow is cleaned up first, which saves two writes.
    ///
    /// # Errors
    /// A failed read or write, or a write that was lost as often as the retry policy allows.
    pub(crate) async fn finish(&self, mut row: Execution, report: &Report) -> Result<ReportOutcome, Error> {
        let mut retries = self.retries("ending an execution", row.key.clone());
        loop {
            // A conflicting write may have started another attempt.
            let as_current = row.as_current_attempt(report);
            let current = as_current.as_ref().unwrap_or(report);
            if row.finish(current, self.event_time(), false).is_none() {
                // An earlier run of this event may have ended the execution and crashed before the work that is left.
                if row.is_terminal() {
                    self.run_until_idle(row).await?;
                }
                return Ok(ReportOutcome::Stale);
            }
            let clean = row.leaves_one_cleanup(current, self.event_time()) && self.try_clean_shadow(&row).await;
            let Some(change) = row.finish(current, self.event_time(), clean) else { return Ok(ReportOutcome::Stale) };
            row = match self.write(row, &change).await? {
                WriteOutcome::Applied(row) => {
                    self.run_until_idle(row).await?;
                    return Ok(ReportOutcome::Applied);
                }
                WriteOutcome::Conflict(row) => row,
                WriteOutcome::NotFound => return Ok(ReportOutcome::UnknownExecution),
            };
            retries.wait().await?;
        }
    }
}
