//! Applies the reports in a shadow that has changed. A device reports all of them again with every change of its
//! shadow, so most are stale.

use calls::{Calls, Error};
use domain::{Key, ShadowEvent, ShadowReport};

use crate::driver::Driver;
use crate::report::ReportOutcome;

/// What was done with the reports in a shadow.
#[derive(Debug)]
pub struct ShadowOutcome {
    /// The reports that name no execution of the thing in this shadow.
    pub unknown: u64,
    /// The last error. A report that can't be written does not stop the others; the event has to be handled again.
    pub result: Result<(), Error>,
}

impl<C: Calls> Driver<'_, C> {
    /// Applies the reports of a shadow's event, and completes the desired states that it satisfies.
    pub async fn apply_shadow(&self, event: &ShadowEvent, reports: &[ShadowReport]) -> ShadowOutcome {
        let mut outcome = ShadowOutcome { unknown: 0, result: Ok(()) };
        for report in reports {
            match self.apply_shadow_report(report).await {
                Ok(ReportOutcome::Applied | ReportOutcome::Stale | ReportOutcome::NotCanceled) => {}
                Ok(ReportOutcome::UnknownExecution | ReportOutcome::UnknownAttempt) => outcome.unknown += 1,
                Err(error) => outcome.result = Err(error),
            }
        }
        if let Err(error) = self.complete_reached(event).await {
            outcome.result = Err(error);
        }
        outcome
    }

    async fn apply_shadow_report(&self, shadow_report: &ShadowReport) -> Result<ReportOutcome, Error> {
        let ShadowReport { route, report } = shadow_report;
        let Some(id) = report.execution.clone() else { return Ok(ReportOutcome::UnknownExecution) };
        let row = self.read(&Key { thing: report.thing.clone(), id }).await?;
        // Some devices echo everything in a shadow: an entry is a report only if its request was sent on the same
        // route.
        let Some(row) = row.filter(|row| row.channel.shadow() == Some(route)) else {
            return Ok(ReportOutcome::UnknownExecution);
        };
        // The request was removed, and the device has written it back with a late report.
        let is_written_back = row.is_terminal() && !row.shadow_cleanup_pending;
        let cleaned = if is_written_back { self.clean_shadow(&row).await } else { Ok(()) };
        // Shadows that do not answer must not cost the report, which may be the last of its execution.
        let outcome = self.apply_report_to(row, report, true).await;
        cleaned.and(outcome)
    }
}
