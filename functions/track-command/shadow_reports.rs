//! Applies the reports in a shadow that has changed. A device reports all of them again with every change of its
//! shadow, so most are stale, and only those that may be mistakes are counted.

use aws::{Error, WriteOutcome};
use domain::{Key, ReportedStatus, ShadowEvent, ShadowReport, UnusableReport};
use driver::driver::Driver;
use runtime::handler_error::{HandlerError, chain};
use runtime::metrics;

use super::apply::confirm_stop;
use super::desired_state;
use super::finish::finish;
use super::outcome::ReportOutcome;
use super::unusable;

/// A report that can't be written does not stop the others; the event is retried.
pub(super) async fn handle(driver: &Driver<'_>, event: &ShadowEvent) -> Result<(), HandlerError> {
    let count = |metric, why: &str| {
        let shadow = event.shadow.as_ref().map(ToString::to_string).unwrap_or_default();
        let about = [("thing", event.thing.as_str()), ("shadow", &shadow), ("why", why)];
        metrics::count(driver.event_time(), &[(metric, 1)], &about);
    };
    let found = event.reports();
    for error in &found.refused {
        let why = chain(error);
        count("ReportUndecodable", &why);
        let report = UnusableReport::new(driver.event_time(), error.execution().as_ref(), &[], &why);
        Box::pin(unusable::keep(driver, &event.thing, report)).await;
    }
    let mut failed = None;
    for report in found.reports {
        match apply_report(driver, &report).await {
            Ok(ReportOutcome::Applied | ReportOutcome::Stale | ReportOutcome::NotCanceled) => {}
            Ok(ReportOutcome::UnknownExecution | ReportOutcome::UnknownAttempt) => {
                count("ReportUnknown", "the thing has no such execution in this shadow");
            }
            Err(error) => failed = Some(error),
        }
    }
    if let Err(error) = desired_state::complete_reached(driver, event).await {
        failed = Some(error);
    }
    failed.map_or(Ok(()), |error| Err(HandlerError::Aws(error)))
}

async fn apply_report(driver: &Driver<'_>, shadow_report: &ShadowReport) -> Result<ReportOutcome, Error> {
    let ShadowReport { route, report } = shadow_report;
    let Some(id) = report.execution.clone() else { return Ok(ReportOutcome::UnknownExecution) };
    let row = driver.read(&Key { thing: report.thing.clone(), id }).await?;
    // Some devices echo everything in a shadow: an entry is a report only if its request was sent on the same route.
    let Some(row) = row.filter(|row| row.channel.shadow() == Some(route)) else {
        return Ok(ReportOutcome::UnknownExecution);
    };
    if row.is_terminal() && !row.shadow_cleanup_pending {
        // The request was removed, and the device has written it back with a late report.
        driver.clean_shadow(&row).await?;
    }
    if report.reported == ReportedStatus::Canceled {
        return confirm_stop(driver, row).await;
    }
    let as_current = row.as_current_attempt(report);
    let change = as_current.as_ref().unwrap_or(report).change(row.key.clone(), driver.event_time());
    if change.is_terminal() {
        return finish(driver, row, report).await;
    }
    // Most reports repeat an earlier one: the row that was read shows that without a write. One that says something new
    // about the run counts, also without a number.
    let change = match row.apply(&change) {
        Some(_) => change,
        None => match row.active_again(&change).filter(|change| row.lacks_interim_report(change)) {
            Some(change) => change,
            None => return Ok(ReportOutcome::Stale),
        },
    };
    Ok(match driver.write(row, &change).await? {
        WriteOutcome::Applied(_) => ReportOutcome::Applied,
        WriteOutcome::Conflict(_) => ReportOutcome::Stale,
        WriteOutcome::NotFound => ReportOutcome::UnknownExecution,
    })
}
