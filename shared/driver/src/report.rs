//! Applies a report to its execution's row.

use calls::{Calls, Error, WriteOutcome};
use domain::{Change, ConfirmError, Execution, Key, Report, ReportedStatus};

use crate::driver::{DecidedWrite, Driver};

/// The outcome of applying a report to its execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportOutcome {
    /// The execution's row has changed.
    Applied,
    /// The row already says the same, or something later. Nothing is written.
    Stale,
    /// The report confirms a cancel, and the execution was not canceled. Nothing is written.
    NotCanceled,
    /// The thing has no such execution.
    UnknownExecution,
    /// The execution has not had the attempt that the report names.
    UnknownAttempt,
}

/// Why no start and no heartbeat is written.
enum NotWritten {
    /// The report ends the current attempt.
    Ends,
    Stale,
}

impl<C: Calls> Driver<'_, C> {
    /// Applies a report about this execution.
    ///
    /// A numbered heartbeat is written without a read: its condition needs only the number. Any other report needs the
    /// row first: what ends an execution depends on the work that is left then, and a heartbeat without a number on the
    /// earlier ones. A read costs less than a write that is refused.
    ///
    /// # Errors
    /// A failed read or write.
    pub async fn apply_report(&self, key: Key, report: &Report) -> Result<ReportOutcome, Error> {
        let numbered_heartbeat = matches!(report.reported, ReportedStatus::InProgress { seq } if seq > 0);
        if !numbered_heartbeat {
            return match self.read(&key).await? {
                Some(row) => self.apply_message(row, report).await,
                None => Ok(ReportOutcome::UnknownExecution),
            };
        }
        match self.calls.write_execution(&report.change(key, self.event_time())).await? {
            WriteOutcome::Applied(row) => {
                if let Some(row) = row {
                    self.expect_heartbeats(row).await?;
                }
                Ok(ReportOutcome::Applied)
            }
            WriteOutcome::NotFound => Ok(ReportOutcome::UnknownExecution),
            WriteOutcome::Conflict(row) => self.apply_message(row, report).await,
        }
    }

    async fn apply_message(&self, row: Execution, report: &Report) -> Result<ReportOutcome, Error> {
        if report.attempt > row.attempt {
            return Ok(ReportOutcome::UnknownAttempt);
        }
        self.apply_report_to(row, report, false).await
    }

    /// Applies a report to the row of its execution. `may_be_repeated`: it came in a shadow, whose device sends all of
    /// its reports with every change, so one that says only that the device is active says nothing.
    pub(crate) async fn apply_report_to(
        &self,
        row: Execution,
        report: &Report,
        may_be_repeated: bool,
    ) -> Result<ReportOutcome, Error> {
        if report.reported == ReportedStatus::Canceled {
            return self.confirm_stop(row).await;
        }
        let decide = |row: &Execution| {
            let current = row.as_current_attempt(report);
            let change = current.as_ref().unwrap_or(report).change(row.key.clone(), self.event_time());
            if change.is_terminal() {
                return Err(NotWritten::Ends);
            }
            let counts = |change: &Change| !may_be_repeated || row.lacks_interim_report(change);
            let change =
                if row.apply(&change).is_some() { Some(change) } else { row.active_again(&change).filter(counts) };
            change.map(Box::new).ok_or(NotWritten::Stale)
        };
        match self.decide_and_write("applying a report", row, decide).await? {
            DecidedWrite::Applied(row) => {
                self.expect_heartbeats(row).await?;
                Ok(ReportOutcome::Applied)
            }
            DecidedWrite::Refused(row, NotWritten::Ends) => self.finish(row, report).await,
            DecidedWrite::Refused(row, NotWritten::Stale) => {
                // An earlier run of this event may have applied the report, and crashed before it moved the entry.
                self.advance_due_entry(row).await?;
                Ok(ReportOutcome::Stale)
            }
            DecidedWrite::NotFound => Ok(ReportOutcome::UnknownExecution),
        }
    }

    /// Has the execution looked at when its heartbeats have stopped.
    ///
    /// An entry that was due before the start stays, and the wake that follows the one that has found nothing to do
    /// comes at the end of the ttl. So a start sends another one; from then on, each wake is followed by one at the
    /// deadline.
    async fn expect_heartbeats(&self, row: Execution) -> Result<(), Error> {
        if let Some((due, deadline)) = row.due_at.zip(row.heartbeat_deadline)
            && due <= self.now().as_seconds()
            && row.started_at == row.last_active_at
        {
            self.look_again(&row.key, due, deadline.as_seconds_rounded_up()).await;
        }
        self.advance_due_entry(row).await
    }

    /// Moves the due entry of an execution that could miss its heartbeat deadline before the entry is due. This happens
    /// at most once, when the execution starts.
    async fn advance_due_entry(&self, row: Execution) -> Result<(), Error> {
        if let Some(change) = row.earlier_due() {
            self.write(row, &change).await?;
        }
        Ok(())
    }

    /// Records that the device has stopped a canceled execution.
    async fn confirm_stop(&self, row: Execution) -> Result<ReportOutcome, Error> {
        let decide = |row: &Execution| row.confirm_stop(self.event_time()).map(Box::new);
        Ok(match self.decide_and_write("recording that a device has stopped", row, decide).await? {
            DecidedWrite::Applied(_) => ReportOutcome::Applied,
            DecidedWrite::Refused(_, ConfirmError::Already) => ReportOutcome::Stale,
            DecidedWrite::Refused(_, ConfirmError::NotCanceled) => ReportOutcome::NotCanceled,
            DecidedWrite::NotFound => ReportOutcome::UnknownExecution,
        })
    }
}
