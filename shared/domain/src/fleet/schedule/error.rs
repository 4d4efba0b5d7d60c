//! `ScheduleError`: schedules that are refused, with the name of the field and the allowed values.

use crate::fleet::schedule::limits::{MAX_AHEAD_SECONDS, MAX_PAST_SECONDS};

/// A schedule that is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// The start has passed.
    #[error("schedule.notBefore has passed more than {} minutes ago: leave it out to begin at once", MAX_PAST_SECONDS / 60)]
    StartPassed,
    /// The start is too far ahead.
    #[error("schedule.notBefore must be at most {} days ahead", MAX_AHEAD_SECONDS / 86_400)]
    StartFarAhead,
    /// The end has passed.
    #[error("schedule.notAfter has passed: it must be ahead")]
    EndPassed,
    /// The end is not after the start.
    #[error("schedule.notAfter must be later than schedule.notBefore")]
    EndsBeforeItStarts,
    /// The window never opens between start and end.
    #[error("schedule.window never opens between schedule.notBefore, or now, and schedule.notAfter")]
    NeverOpens,
    /// A text that is not a time of the day.
    #[error("{field} must be a time of the day from 00:00 to 23:59, such as 22:00: it is {found:?}")]
    NoTime {
        /// Path of the field.
        field: &'static str,
        /// The beginning of its text.
        found: String,
    },
    /// A text that is not an offset from UTC.
    #[error("schedule.window.offset must be from -14:00 to +14:00, such as +02:00, or Z for UTC: it is {0:?}")]
    NoOffset(String),
    /// A window that ends when it starts.
    #[error(
        "schedule.window.end must differ from schedule.window.start: leave the window out to ask at any time of the day"
    )]
    EmptyWindow,
}

impl ScheduleError {
    /// Path of the refused field.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::StartPassed | Self::StartFarAhead => "schedule.notBefore",
            Self::EndPassed | Self::EndsBeforeItStarts => "schedule.notAfter",
            Self::NeverOpens => "schedule.window",
            Self::NoTime { field, .. } => field,
            Self::NoOffset(_) => "schedule.window.offset",
            Self::EmptyWindow => "schedule.window.end",
        }
    }
}
