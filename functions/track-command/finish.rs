//! Applies a report that ends an execution, or its current attempt.

use aws::{Error, WriteOutcome};
use domain::{Execution, Report};
use driver::driver::Driver;
use runtime::conflict::ConflictRetries;
use runtime::handler_error::chain;

use super::outcome::ReportOutcome;

/// Ends the execution or its attempt, and does the work that is left then. Where only the clean-up of its shadow is
/// left, the shadow is cleaned up first, which saves two writes.
pub(super) async fn finish(driver: &Driver<'_>, mut row: Execution, report: &Report) -> Result<ReportOutcome, Error> {
    let mut retries = ConflictRetries::new("ending an execution", row.key.clone());
    loop {
        // A conflicting write may have started another attempt.
        let as_current = row.as_current_attempt(report);
        let current = as_current.as_ref().unwrap_or(report);
        if row.finish(current, driver.event_time(), false).is_none() {
            // An earlier run of this event may have ended the execution and crashed before the work that is left.
            if row.is_terminal() {
                driver.run_until_idle(row).await?;
            }
            return Ok(ReportOutcome::Stale);
        }
        let clean = is_only_shadow_left(driver, &row, current) && clean_shadow(driver, &row).await;
        let Some(change) = row.finish(current, driver.event_time(), clean) else { return Ok(ReportOutcome::Stale) };
        row = match driver.write(row, &change).await? {
            WriteOutcome::Applied(row) => {
                driver.run_until_idle(row).await?;
                return Ok(ReportOutcome::Applied);
            }
            WriteOutcome::Conflict(row) => row,
            WriteOutcome::NotFound => return Ok(ReportOutcome::UnknownExecution),
        };
        retries.wait().await?;
    }
}

fn is_only_shadow_left(driver: &Driver<'_>, row: &Execution, report: &Report) -> bool {
    row.shadow_cleanup_pending && !row.in_lane && row.would_end(report, driver.event_time())
}

/// Whether the shadow is clean now. If not, the row keeps its due entry, and the clean-up is retried.
async fn clean_shadow(driver: &Driver<'_>, row: &Execution) -> bool {
    match driver.clean_shadow(row).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(error = chain(&error), execution = %row.key, "the shadow clean-up failed: retried later");
            false
        }
    }
}
