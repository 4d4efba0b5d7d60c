//! A time of the day, every day, at a fixed distance from UTC.

use super::ScheduleError;
use crate::Timestamp;

const MINUTE: i128 = 60_000;
const DAY: i128 = 24 * 60 * MINUTE;

/// From a minute of the day until another, which may be on the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    start: u16,
    end: u16,
    offset: i16,
}

impl Window {
    /// The window from `HH:MM` until `HH:MM`, in the time that is `+HH:MM` or `-HH:MM` from UTC; UTC where nothing, or `Z`, is
    /// said. An end that is earlier than the start is on the next day.
    pub fn parse(start: &str, end: &str, offset: Option<&str>) -> Result<Self, ScheduleError> {
        let start = time("schedule.window.start", start)?;
        let end = time("schedule.window.end", end)?;
        let offset = offset.map_or(Ok(0), distance)?;
        if start == end {
            return Err(ScheduleError::EmptyWindow);
        }
        Ok(Self { start, end, offset })
    }

    /// When it opens, as `HH:MM`.
    pub fn start(&self) -> String {
        format!("{:02}:{:02}", self.start / 60, self.start % 60)
    }

    /// When it closes, as `HH:MM`.
    pub fn end(&self) -> String {
        format!("{:02}:{:02}", self.end / 60, self.end % 60)
    }

    /// How far its time is from UTC, as `+HH:MM` or `-HH:MM`.
    pub fn offset(&self) -> String {
        let sign = if self.offset < 0 { '-' } else { '+' };
        let minutes = self.offset.unsigned_abs();
        format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }

    /// The first instant from this one on at which it is open, and when it closes then.
    pub(super) fn from(&self, at: Timestamp) -> (Timestamp, Option<Timestamp>) {
        let since = self.since_opening(at);
        let opens = if since < self.length() { 0 } else { DAY - since };
        let closes = opens + self.length() - if opens == 0 { since } else { 0 };
        (moved(at, opens), Some(moved(at, closes)))
    }

    /// The instant at which it has been open for so long since this one, at which it is open.
    pub(super) fn after_open(&self, at: Timestamp, millis: u128) -> Timestamp {
        // Counted from the opening: whole days, and what is left of the last one.
        let since = self.since_opening(at);
        let open = i128::try_from(millis).unwrap_or(i128::MAX).saturating_add(since);
        let days = (open - 1).max(0) / self.length();
        moved(at, days.saturating_mul(DAY) + (open - days * self.length()) - since)
    }

    fn length(&self) -> i128 {
        (i128::from(self.end) - i128::from(self.start)).rem_euclid(24 * 60) * MINUTE
    }

    /// How long ago it opened last.
    fn since_opening(&self, at: Timestamp) -> i128 {
        (i128::from(at.as_millis()) + (i128::from(self.offset) - i128::from(self.start)) * MINUTE).rem_euclid(DAY)
    }
}

/// So much later; the end of time rather than an overflow.
pub(super) fn later(at: Timestamp, millis: u128) -> Timestamp {
    moved(at, i128::try_from(millis).unwrap_or(i128::MAX))
}

fn moved(at: Timestamp, millis: i128) -> Timestamp {
    let moved = i128::from(at.as_millis()).saturating_add(millis);
    Timestamp::from_millis(i64::try_from(moved).unwrap_or(if moved < 0 { i64::MIN } else { i64::MAX }))
}

fn time(field: &'static str, text: &str) -> Result<u16, ScheduleError> {
    let minutes = minutes(text).filter(|minutes| *minutes < 24 * 60);
    minutes.ok_or_else(|| ScheduleError::NoTime { field, found: beginning(text) })
}

fn distance(text: &str) -> Result<i16, ScheduleError> {
    let minutes =
        |text| minutes(text).filter(|minutes| *minutes <= 14 * 60).and_then(|minutes| i16::try_from(minutes).ok());
    let found = match (text, text.strip_prefix('+'), text.strip_prefix('-')) {
        ("Z", ..) => Some(0),
        (_, Some(east), _) => minutes(east),
        (_, _, Some(west)) => minutes(west).map(|minutes| -minutes),
        _ => None,
    };
    found.ok_or_else(|| ScheduleError::NoOffset(beginning(text)))
}

/// The minutes in `HH:MM`.
fn minutes(text: &str) -> Option<u16> {
    let two = |digits: &str| {
        let is = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        is.then(|| digits.parse::<u16>().ok()).flatten()
    };
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (minutes < 60).then_some(hours * 60 + minutes)
}

fn beginning(text: &str) -> String {
    text.chars().take(32).collect()
}
