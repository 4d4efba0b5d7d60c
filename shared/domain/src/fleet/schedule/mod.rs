//! When a fleet is asked: from, until, and at which time of the day.

mod error;
#[cfg(test)]
pub(super) mod tests;
mod window;

pub use error::ScheduleError;
pub use window::Window;

use serde::{Deserialize, Serialize};

use super::StoredError;
use crate::Timestamp;

/// When things are asked. The default is always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// Nobody is asked before.
    pub not_before: Option<Timestamp>,
    /// Nobody is asked any more from then on.
    pub not_after: Option<Timestamp>,
    /// Only at this time of the day.
    pub window: Option<Window>,
}

/// Whether things may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// They may.
    Now {
        /// Until just before this; none: for good.
        until: Option<Timestamp>,
    },
    /// From then on.
    At(Timestamp),
    /// Not any more.
    Never,
}

/// Instants in milliseconds; the window in words.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Stored {
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_after: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<[String; 3]>,
}

impl Schedule {
    /// A start that has passed by no more than this was meant as now: clocks differ, and requests take time.
    pub const PAST_SECONDS: u32 = 5 * 60;
    /// A start may be this far ahead.
    pub const AHEAD_SECONDS: u32 = 30 * 24 * 3600;

    /// Whether somebody who asks for it now can mean it.
    pub fn check(&self, now: Timestamp) -> Result<(), ScheduleError> {
        if let Some(from) = self.not_before {
            if from < now.minus_seconds(Self::PAST_SECONDS) {
                return Err(ScheduleError::StartPassed);
            }
            if from > now.plus_seconds(Self::AHEAD_SECONDS) {
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
        match self.opens(now) {
            Open::Never => Err(ScheduleError::NeverOpens),
            Open::Now { .. } | Open::At(_) => Ok(()),
        }
    }

    /// Whether things may be asked now, and if not, when.
    pub fn opens(&self, now: Timestamp) -> Open {
        let from = self.not_before.map_or(now, |from| from.max(now));
        let (opens, closes) = match &self.window {
            Some(window) => window.from(from),
            None => (from, None),
        };
        if self.not_after.is_some_and(|end| end <= opens) {
            return Open::Never;
        }
        match opens > now {
            true => Open::At(opens),
            false => Open::Now { until: [closes, self.not_after].into_iter().flatten().min() },
        }
    }

    /// The instant at which things may have been asked for so many milliseconds since now; none if that never comes.
    pub(super) fn after_open(&self, now: Timestamp, millis: u128) -> Option<Timestamp> {
        let from = match self.opens(now) {
            Open::Now { .. } => now,
            Open::At(at) => at,
            Open::Never => return None,
        };
        let end = match &self.window {
            Some(window) => window.after_open(from, millis),
            None => window::later(from, millis),
        };
        self.not_after.is_none_or(|limit| end < limit).then_some(end)
    }

    /// As it is stored: JSON.
    pub fn to_stored(&self) -> String {
        super::stored::json(&Stored {
            not_before: self.not_before.map(Timestamp::as_millis),
            not_after: self.not_after.map(Timestamp::as_millis),
            window: self.window.map(|window| [window.start(), window.end(), window.offset()]),
        })
    }

    /// As it was stored.
    pub fn from_stored(text: &str) -> Result<Self, StoredError> {
        let stored: Stored = serde_json::from_str(text).map_err(StoredError::of("schedule"))?;
        let window = stored.window.map(|[start, end, offset]| Window::parse(&start, &end, Some(&offset)));
        Ok(Self {
            not_before: stored.not_before.map(Timestamp::from_millis),
            not_after: stored.not_after.map(Timestamp::from_millis),
            window: window.transpose().map_err(StoredError::of("schedule"))?,
        })
    }
}
