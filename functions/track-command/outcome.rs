//! The outcome of a report.

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
