//! Applies a report to its execution's row.

use aws::{Error, WriteOutcome};
use domain::{ConfirmError, Execution, Key, Report, ReportedStatus};
use driver::driver::{DecidedWrite, Driver};

use super::finish::finish;
use super::outcome::ReportOutcome;

/// A numbered heartbeat is written without a read: its condition needs only the number. Any other report needs the row
/// first: what ends an execution depends on the work that is left then, and a heartbeat without a number on the earlier
/// ones. A read costs less than a write that is refused.
pub(super) async fn apply_report(driver: &Driver<'_>, key: Key, report: &Report) -> Result<ReportOutcome, Error> {
    let numbered_heartbeat = matches!(report.reported, ReportedStatus::InProgress { seq } if seq > 0);
    if !numbered_heartbeat {
        return match driver.read(&key).await? {
            Some(row) => apply_report_to(driver, row, report).await,
            None => Ok(ReportOutcome::UnknownExecution),
        };
    }
    match driver.clients.executions.write(&report.change(key, driver.event_time())).await? {
        WriteOutcome::Applied(row) => {
            advance_due_entry(driver, row).await?;
            Ok(ReportOutcome::Applied)
        }
        WriteOutcome::NotFound => Ok(ReportOutcome::UnknownExecution),
        WriteOutcome::Conflict(row) => apply_report_to(driver, row, report).await,
    }
}

/// Why no start and no heartbeat is written.
enum NotWritten {
    /// The report ends the current attempt.
    Ends,
    Stale,
}

async fn apply_report_to(driver: &Driver<'_>, row: Execution, report: &Report) -> Result<ReportOutcome, Error> {
    if report.attempt > row.attempt {
        return Ok(ReportOutcome::UnknownAttempt);
    }
    if report.reported == ReportedStatus::Canceled {
        return confirm_stop(driver, row).await;
    }
    let decide = |row: &Execution| {
        let current = row.as_current_attempt(report);
        let change = current.as_ref().unwrap_or(report).change(row.key.clone(), driver.event_time());
        if change.is_terminal() {
            return Err(NotWritten::Ends);
        }
        let change = if row.apply(&change).is_some() { Some(change) } else { row.active_again(&change) };
        change.map(Box::new).ok_or(NotWritten::Stale)
    };
    match driver.decide_and_write("applying a report", row, decide).await? {
        DecidedWrite::Applied(row) => {
            advance_due_entry(driver, Some(row)).await?;
            Ok(ReportOutcome::Applied)
        }
        DecidedWrite::Refused(row, NotWritten::Ends) => finish(driver, row, report).await,
        DecidedWrite::Refused(_, NotWritten::Stale) => Ok(ReportOutcome::Stale),
        DecidedWrite::NotFound => Ok(ReportOutcome::UnknownExecution),
    }
}

/// Moves the due entry of an execution that could miss its heartbeat deadline before the entry is due. This happens at
/// most once, when the execution starts.
async fn advance_due_entry(driver: &Driver<'_>, row: Option<Execution>) -> Result<(), Error> {
    if let Some(row) = row
        && let Some(change) = row.earlier_due()
    {
        driver.write(row, &change).await?;
    }
    Ok(())
}

/// Records that the device has stopped a canceled execution.
pub(super) async fn confirm_stop(driver: &Driver<'_>, row: Execution) -> Result<ReportOutcome, Error> {
    let decide = |row: &Execution| row.confirm_stop(driver.event_time()).map(Box::new);
    Ok(match driver.decide_and_write("recording that a device has stopped", row, decide).await? {
        DecidedWrite::Applied(_) => ReportOutcome::Applied,
        DecidedWrite::Refused(_, ConfirmError::Already) => ReportOutcome::Stale,
        DecidedWrite::Refused(_, ConfirmError::NotCanceled) => ReportOutcome::NotCanceled,
        DecidedWrite::NotFound => ReportOutcome::UnknownExecution,
    })
}
