//! `Schedule`: when the requests of a fleet command may be sent.

use crate::fleet::schedule::error::ScheduleError;
use crate::fleet::schedule::limits::{MAX_AHEAD_SECONDS, MAX_PAST_SECONDS};
use crate::fleet::schedule::opening::Opening;
use crate::fleet::schedule::window::{Window, plus_millis};
use crate::timestamp::Timestamp;

/// When requests may be sent. The default is always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// No request is sent before this instant.
    pub not_before: Option<Timestamp>,
    /// No request is sent at or after this instant.
    pub not_after: Option<Timestamp>,
    /// Requests are sent only at this time of the day.
    pub window: Option<Window>,
}

impl Schedule {
    /// Checks a schedule that is requested at `now`.
    ///
    /// # Errors
    /// The start is too far in the past or the future, or there is no time between now and the end at which requests
    /// may be sent.
    pub fn check(&self, now: Timestamp) -> Result<(), ScheduleError> {
        if let Some(from) = self.not_before {
            if from < now.minus_seconds(MAX_PAST_SECONDS) {
                return Err(ScheduleError::StartPassed);
            }
            if from > now.plus_seconds(MAX_AHEAD_SECONDS) {
                return Err(ScheduleError::StartFarAhead);
            }
        }
        if self.not_after.is_some_and(|end| end <= now) {
            return Err(ScheduleError::EndPassed);
        }
        if let (Some(from), Some(end)) = (self.not_before, self.not_after)
            && from >= end
        {
            return Err(ScheduleError::EndsBeforeItStarts);
        }
        match self.opening(now) {
            Opening::Never => Err(ScheduleError::NeverOpens),
            Opening::Now { .. } | Opening::At(_) => Ok(()),
        }
    }

    /// Whether requests may be sent now, and if not, from when on.
    pub fn opening(&self, now: Timestamp) -> Opening {
        let from = self.not_before.map_or(now, |from| from.max(now));
        let (opens, closes) = match &self.window {
            Some(window) => window.next_open(from),
            None => (from, None),
        };
        if self.not_after.is_some_and(|end| end <= opens) {
            return Opening::Never;
        }
        match opens > now {
            true => Opening::At(opens),
            false => Opening::Now { until: [closes, self.not_after].into_iter().flatten().min() },
        }
    }

    /// The instant at which the schedule has been open for this many milliseconds since `now`; none if it ends before.
    pub(in crate::fleet) fn after_open_time(&self, now: Timestamp, millis: u128) -> Option<Timestamp> {
        let from = match self.opening(now) {
            Opening::Now { .. } => now,
            Opening::At(at) => at,
            Opening::Never => return None,
        };
        let end = match &self.window {
            Some(window) => window.after_open_time(from, millis),
            None => plus_millis(from, millis),
        };
        self.not_after.is_none_or(|limit| end < limit).then_some(end)
    }
}
