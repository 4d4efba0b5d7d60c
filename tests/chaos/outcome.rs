//! The outcome of a schedule.

/// What a schedule violated, and its trace if one was asked for.
pub struct ScheduleOutcome {
    /// Violated properties of the history, and errors of the schedule itself, as text.
    pub violations: Vec<String>,
    pub trace: Vec<String>,
}
