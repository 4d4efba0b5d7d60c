//! A rate as time that is used up: what is not taken is kept, but never more than a tick of it.

use crate::Timestamp;

const MINUTE: i128 = 60_000;

/// So many things a minute, for someone who comes every tick.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    rate: i128,
    tick: i128,
}

/// What was taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    /// How many things.
    pub things: u64,
    /// Up to when the rate is used up then.
    pub at: Option<Timestamp>,
    /// When it is worth coming again for the rest; none if there is no rest.
    pub again: Option<Timestamp>,
}

impl Bucket {
    pub(super) fn new(rate: u32, tick_seconds: u32) -> Self {
        Self { rate: i128::from(rate.max(1)), tick: i128::from(tick_seconds.max(1)) * 1000 }
    }

    /// As many of those left as the time since `at` allows; a tick's worth, and at least one, if it was never used. None rather
    /// than a few: each time costs a write, and up to a millisecond that is rounded away.
    pub(super) fn take(&self, at: Option<Timestamp>, left: u64, now: Timestamp) -> Taken {
        let clock = i128::from(now.as_millis());
        let unused = match at {
            Some(at) => (clock - i128::from(at.as_millis())).clamp(0, self.capacity()),
            None => self.tick.max(self.time_of(1)),
        };
        let all = i128::from(left);
        let allowed = (unused * self.rate / MINUTE).min(all);
        let things = if allowed < self.worth_it(all) { 0 } else { allowed };
        let used_up = clock - unused + self.time_of(things);
        let rest = all - things;
        Taken {
            things: u64::try_from(things).unwrap_or(left),
            at: if things > 0 { Some(instant(used_up)) } else { at },
            again: (rest > 0).then(|| instant(used_up + self.time_of(self.worth_it(rest)))),
        }
    }

    /// The most time that is kept: a tick, and what was left over of a thing at the tick before. It is never enough for more than
    /// a tick's worth, rounded up.
    fn capacity(&self) -> i128 {
        self.tick + self.time_of(1) - 1
    }

    /// Half a tick's worth, or all that are left. Someone who comes every tick may come a little early: if it were not worth it
    /// before a whole tick is over, every second one would be for nothing.
    fn worth_it(&self, left: i128) -> i128 {
        (self.tick * self.rate / MINUTE / 2).max(1).min(left)
    }

    /// Rounded up, so that the rate is not exceeded.
    fn time_of(&self, things: i128) -> i128 {
        (things * MINUTE + self.rate - 1) / self.rate
    }
}

fn instant(millis: i128) -> Timestamp {
    Timestamp::from_millis(i64::try_from(millis).unwrap_or(if millis < 0 { i64::MIN } else { i64::MAX }))
}
