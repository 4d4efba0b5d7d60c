//! An instant, in milliseconds since 1970, and the arithmetic of deadlines.

/// An instant. It is given, never read: whoever calls this crate knows what time it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant this many milliseconds after 1970.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The instant this many seconds after 1970.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since 1970.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970 that have passed.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The first whole second that is not before this instant: what is stored where only seconds can be.
    pub const fn as_seconds_rounded_up(self) -> i64 {
        self.0.saturating_add(999).div_euclid(1000)
    }

    /// This many seconds later; the end of time rather than an overflow.
    pub const fn plus_seconds(self, seconds: u32) -> Self {
        Self(self.0.saturating_add(seconds as i64 * 1000))
    }

    /// This many seconds earlier; the beginning of time rather than an overflow.
    pub const fn minus_seconds(self, seconds: u32) -> Self {
        Self(self.0.saturating_sub(seconds as i64 * 1000))
    }

    /// Whole seconds from here until `later`, rounded up; 0 when it has passed.
    pub fn seconds_until(self, later: Self) -> u32 {
        let millis = later.0.saturating_sub(self.0).max(0);
        u32::try_from(millis.saturating_add(999) / 1000).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_second_is_never_before_the_instant() {
        assert_eq!(Timestamp::from_millis(1_001).as_seconds(), 1);
        assert_eq!(Timestamp::from_millis(1_001).as_seconds_rounded_up(), 2);
        assert_eq!(Timestamp::from_millis(2_000).as_seconds_rounded_up(), 2);
        assert_eq!(Timestamp::from_millis(-1).as_seconds(), -1);
    }

    #[test]
    fn arithmetic_stops_at_the_ends_of_time() {
        let end = Timestamp::from_millis(i64::MAX);
        assert_eq!(end.plus_seconds(u32::MAX), end);
        assert_eq!(end.as_seconds_rounded_up(), i64::MAX / 1000);
        assert_eq!(Timestamp::from_seconds(i64::MAX), end);
        assert_eq!(Timestamp::from_millis(i64::MIN).seconds_until(end), u32::MAX);
        assert_eq!(end.seconds_until(Timestamp::default()), 0);
        assert_eq!(Timestamp::default().seconds_until(Timestamp::from_millis(1)), 1);
    }
}
