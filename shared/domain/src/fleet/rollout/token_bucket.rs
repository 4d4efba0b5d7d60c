//! `TokenBucket`: a rate as time that is used up. Unused time is kept, at most one tick of it.

use crate::timestamp::Timestamp;

const MINUTE_MILLIS: i128 = 60_000;

/// A rate for a caller that takes things once per tick.
#[derive(Clone, Copy, Debug)]
pub(super) struct TokenBucket {
    per_minute: i128,
    tick_millis: i128,
}

/// The result of taking things from the bucket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    /// How many things were taken.
    pub things: u64,
    /// The instant up to which the rate is used up now.
    pub used_until: Option<Timestamp>,
    /// When to take the rest; none if there is no rest.
    pub next_at: Option<Timestamp>,
}

impl TokenBucket {
    pub(super) fn new(per_minute: u32, tick_seconds: u32) -> Self {
        Self { per_minute: i128::from(per_minute.max(1)), tick_millis: i128::from(tick_seconds.max(1)) * 1000 }
    }

    /// Takes as many of the `left` things as the time since `used_until` allows; from an unused bucket one tick's
    /// worth, and at least one thing. Fewer than [`Self::smallest_take`] are not taken, because each take costs a write
    /// and rounds up to a millisecond of the rate away.
    pub(super) fn take(&self, used_until: Option<Timestamp>, left: u64, now: Timestamp) -> Taken {
        let clock = i128::from(now.as_millis());
        let unused = match used_until {
            Some(at) => (clock - i128::from(at.as_millis())).clamp(0, self.capacity()),
            None => self.tick_millis.max(self.time_of(1)),
        };
        let all = i128::from(left);
        let allowed = (unused * self.per_minute / MINUTE_MILLIS).min(all);
        let things = if allowed < self.smallest_take(all) { 0 } else { allowed };
        let used_up = clock - unused + self.time_of(things);
        let rest = all - things;
        Taken {
            things: u64::try_from(things).unwrap_or(left),
            used_until: if things > 0 { Some(instant(used_up)) } else { used_until },
            next_at: (rest > 0).then(|| instant(used_up + self.time_of(self.smallest_take(rest)))),
        }
    }

    /// The most unused time that is kept: a tick, and the rest of one thing from the tick before. It is never enough
    /// for more than one tick's worth, rounded up.
    fn capacity(&self) -> i128 {
        self.tick_millis + self.time_of(1) - 1
    }

    /// Half a tick's worth, or all that are left. A caller may come slightly before a whole tick is over: if it got
    /// nothing then, only every second call would take things.
    fn smallest_take(&self, left: i128) -> i128 {
        (self.tick_millis * self.per_minute / MINUTE_MILLIS / 2).max(1).min(left)
    }

    /// Rounded up, so that the rate is not exceeded.
    fn time_of(&self, things: i128) -> i128 {
        (things * MINUTE_MILLIS + self.per_minute - 1) / self.per_minute
    }
}

fn instant(millis: i128) -> Timestamp {
    Timestamp::from_millis(i64::try_from(millis).unwrap_or(if millis < 0 { i64::MIN } else { i64::MAX }))
}
