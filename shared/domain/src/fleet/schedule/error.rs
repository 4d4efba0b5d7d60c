//! A schedule that can't be, with the name of the field and what would be right.

use super::Schedule;

/// A schedule that can't be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// The start has passed.
    #[error(
        "schedule.notBefore has passed more than {} minutes ago: leave it out to begin at once",
        Schedule::PAST_SECONDS / 60
    )]
    StartPassed,
    /// The start is too far ahead.
    #[error("schedule.notBefore must be at most {} days ahead", Schedule::AHEAD_SECONDS / 86_400)]
    StartFarAhead,
    /// The end has passed.
    #[error("schedule.notAfter has passed: it must be ahead")]
    EndPassed,
    /// There is no time between the two.
    #[error("schedule.notAfter must be later than schedule.notBefore")]
    EndsBeforeItStarts,
    /// The window has no time between the two.
    #[error("schedule.window never opens between schedule.notBefore, or now, and schedule.notAfter")]
    NeverOpens,
    /// Not a time of the day.
    #[error("{field} must be a time of the day from 00:00 to 23:59, such as 22:00: it is {found:?}")]
    NoTime {
        /// Which.
        field: &'static str,
        /// Its beginning.
        found: String,
    },
    /// Not a distance from UTC.
    #[error("schedule.window.offset must be from -14:00 to +14:00, such as +02:00, or Z for UTC: it is {0:?}")]
    NoOffset(String),
    /// A window of no length, or of a whole day.
    #[error(
        "schedule.window.end must differ from schedule.window.start: leave the window out to ask at any time of the day"
    )]
    EmptyWindow,
}

impl ScheduleError {
    /// The field that is wrong.
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
