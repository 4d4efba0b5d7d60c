//! An instant in milliseconds since 1970, and the arithmetic of deadlines.

use std::time::Duration;

/// An instant, in milliseconds since 1970-01-01T00:00:00Z. This crate reads no clock: the caller passes the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant `millis` milliseconds after 1970.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The instant `seconds` seconds after 1970.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since 1970.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Whole seconds since 1970, rounded up, so that a stored second is never before the instant.
    pub const fn as_seconds_rounded_up(self) -> i64 {
        self.0.saturating_add(999).div_euclid(1000)
    }

    /// The instant `seconds` later; saturates.
    pub const fn plus_seconds(self, seconds: u32) -> Self {
        Self(self.0.saturating_add(seconds as i64 * 1000))
    }

    /// The instant `duration` later, in whole milliseconds; saturates.
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The instant `seconds` earlier; saturates.
    pub const fn minus_seconds(self, seconds: u32) -> Self {
        Self(self.0.saturating_sub(seconds as i64 * 1000))
    }

    /// Whole seconds from this instant until `later`, rounded up; 0 where `later` is not after it.
    pub fn seconds_until(self, later: Self) -> u32 {
        let millis = later.0.saturating_sub(self.0).max(0);
        u32::try_from(millis.saturating_add(999) / 1000).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_rounded_up_is_never_before_the_instant() {
        assert_eq!(Timestamp::from_millis(1_001).as_seconds(), 1);
        assert_eq!(Timestamp::from_millis(1_001).as_seconds_rounded_up(), 2);
        assert_eq!(Timestamp::from_millis(2_000).as_seconds_rounded_up(), 2);
        assert_eq!(Timestamp::from_millis(-1).as_seconds(), -1);
    }

    #[test]
    fn arithmetic_saturates() {
        let end = Timestamp::from_millis(i64::MAX);
        assert_eq!(end.plus_seconds(u32::MAX), end);
        assert_eq!((end.plus(Duration::MAX), Timestamp::default().plus(Duration::MAX)), (end, end));
        assert_eq!(end.as_seconds_rounded_up(), i64::MAX / 1000);
        assert_eq!(Timestamp::from_seconds(i64::MAX), end);
        assert_eq!(Timestamp::from_millis(i64::MIN).seconds_until(end), u32::MAX);
        assert_eq!(end.seconds_until(Timestamp::default()), 0);
        assert_eq!(Timestamp::default().seconds_until(Timestamp::from_millis(1)), 1);
    }
}
