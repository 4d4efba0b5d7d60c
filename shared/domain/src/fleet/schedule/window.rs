//! `Window`: a time of the day, every day, at a fixed offset from UTC.

use crate::fleet::schedule::error::ScheduleError;
use crate::timestamp::Timestamp;

const MINUTE_MILLIS: i128 = 60_000;
const DAY_MILLIS: i128 = 24 * 60 * MINUTE_MILLIS;

/// From a minute of the day until another one, which may be on the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    start_minute: u16,
    end_minute: u16,
    offset_minutes: i16,
}

impl Window {
    /// The window from `HH:MM` until `HH:MM`, in local time with the offset `+HH:MM`, `-HH:MM` or `Z` from UTC; UTC
    /// without an offset. An end that is earlier than the start is on the next day.
    ///
    /// # Errors
    /// A text is not of this form or out of range, or the window ends when it starts.
    pub fn parse(start: &str, end: &str, offset: Option<&str>) -> Result<Self, ScheduleError> {
        let start_minute = time_of_day("schedule.window.start", start)?;
        let end_minute = time_of_day("schedule.window.end", end)?;
        let offset_minutes = offset.map_or(Ok(0), utc_offset)?;
        if start_minute == end_minute {
            return Err(ScheduleError::EmptyWindow);
        }
        Ok(Self { start_minute, end_minute, offset_minutes })
    }

    /// The time at which it opens, as `HH:MM`.
    pub fn start(&self) -> String {
        format!("{:02}:{:02}", self.start_minute / 60, self.start_minute % 60)
    }

    /// The time at which it closes, as `HH:MM`.
    pub fn end(&self) -> String {
        format!("{:02}:{:02}", self.end_minute / 60, self.end_minute % 60)
    }

    /// The offset of its local time from UTC, as `+HH:MM` or `-HH:MM`.
    pub fn offset(&self) -> String {
        let sign = if self.offset_minutes < 0 { '-' } else { '+' };
        let minutes = self.offset_minutes.unsigned_abs();
        format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }

    /// The first instant from `at` on at which it is open, and when it closes after that.
    pub(super) fn next_open(&self, at: Timestamp) -> (Timestamp, Option<Timestamp>) {
        let since = self.millis_since_opening(at);
        let opens = if since < self.length_millis() { 0 } else { DAY_MILLIS - since };
        let closes = opens + self.length_millis() - if opens == 0 { since } else { 0 };
        (shifted(at, opens), Some(shifted(at, closes)))
    }

    /// The instant at which it has been open for this many milliseconds since `at`. It must be open at `at`.
    pub(super) fn after_open_time(&self, at: Timestamp, millis: u128) -> Timestamp {
        // Counted from the last opening: whole days, and the rest within the last one.
        let since = self.millis_since_opening(at);
        let open = i128::try_from(millis).unwrap_or(i128::MAX).saturating_add(since);
        let days = (open - 1).max(0) / self.length_millis();
        shifted(at, days.saturating_mul(DAY_MILLIS) + (open - days * self.length_millis()) - since)
    }

    fn length_millis(&self) -> i128 {
        (i128::from(self.end_minute) - i128::from(self.start_minute)).rem_euclid(24 * 60) * MINUTE_MILLIS
    }

    /// Milliseconds since it opened last, also if it has closed since then.
    fn millis_since_opening(&self, at: Timestamp) -> i128 {
        let shift_minutes = i128::from(self.offset_minutes) - i128::from(self.start_minute);
        (i128::from(at.as_millis()) + shift_minutes * MINUTE_MILLIS).rem_euclid(DAY_MILLIS)
    }
}

/// This many milliseconds later; the end of time rather than an overflow.
pub(super) fn plus_millis(at: Timestamp, millis: u128) -> Timestamp {
    shifted(at, i128::try_from(millis).unwrap_or(i128::MAX))
}

fn shifted(at: Timestamp, millis: i128) -> Timestamp {
    let shifted = i128::from(at.as_millis()).saturating_add(millis);
    Timestamp::from_millis(i64::try_from(shifted).unwrap_or(if shifted < 0 { i64::MIN } else { i64::MAX }))
}

fn time_of_day(field: &'static str, text: &str) -> Result<u16, ScheduleError> {
    let minutes = minutes(text).filter(|minutes| *minutes < 24 * 60);
    minutes.ok_or_else(|| ScheduleError::NoTime { field, found: beginning(text) })
}

fn utc_offset(text: &str) -> Result<i16, ScheduleError> {
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
    let two_digits = |digits: &str| {
        let is_number = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| digits.parse::<u16>().ok()).flatten()
    };
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    (minutes < 60).then_some(hours * 60 + minutes)
}

fn beginning(text: &str) -> String {
    text.chars().take(32).collect()
}
