//! `TokenBucket`: a rate as time that is used up. Unused time is kept, at most a second of it.

use crate::timestamp::Timestamp;

const MINUTE_MILLIS: i128 = 60_000;

/// What is taken at once: at most the things of this time.
const STEP_MILLIS: i128 = 1000;

/// Less unused time than this is left for the next step: each step costs writes. A caller that comes slightly before a
/// whole second is over must not leave empty-handed, or only every second call would take things.
const MIN_STEP_MILLIS: i128 = 900;

/// A rate for a caller that takes things once per second, or per thing if that is longer.
#[derive(Clone, Copy, Debug)]
pub(super) struct TokenBucket {
    per_minute: i128,
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
    pub(super) fn new(per_minute: u32) -> Self {
        Self { per_minute: i128::from(per_minute.max(1)) }
    }

    /// Takes as many of the `left` things as the time since `used_until` allows; from an unused bucket one second's
    /// worth, and at least one thing. Nothing is taken before [`MIN_STEP_MILLIS`] are unused.
    pub(super) fn take(&self, used_until: Option<Timestamp>, left: u64, now: Timestamp) -> Taken {
        let clock = i128::from(now.as_millis());
        let unused = match used_until {
            Some(at) => (clock - i128::from(at.as_millis())).clamp(0, self.capacity()),
            None => self.step_millis(),
        };
        let all = i128::from(left);
        let allowed = if unused < MIN_STEP_MILLIS { 0 } else { (unused * self.per_minute / MINUTE_MILLIS).min(all) };
        let used_up = clock - unused + self.time_of(allowed);
        Taken {
            things: u64::try_from(allowed).unwrap_or(left),
            used_until: if allowed > 0 { Some(instant(used_up)) } else { used_until },
            next_at: (all > allowed).then(|| instant(used_up + self.step_millis())),
        }
    }

    /// The time between two steps: a second, or the time of one thing if that is longer.
    pub(super) fn step_millis(&self) -> i128 {
        STEP_MILLIS.max(self.time_of(1))
    }

    /// The most things that one step takes: a second's worth, rounded up.
    pub(super) fn step_things(&self) -> u64 {
        u64::try_from(self.capacity() * self.per_minute / MINUTE_MILLIS).unwrap_or(u64::MAX).max(1)
    }

    /// The most unused time that is kept: a second, and the rest of one thing from the second before. It is never
    /// enough for more than one second's worth, rounded up.
    fn capacity(&self) -> i128 {
        STEP_MILLIS + self.time_of(1) - 1
    }

    /// Rounded up, so that the rate is not exceeded.
    fn time_of(&self, things: i128) -> i128 {
        (things * MINUTE_MILLIS + self.per_minute - 1) / self.per_minute
    }
}

fn instant(millis: i128) -> Timestamp {
    Timestamp::from_millis(i64::try_from(millis).unwrap_or(if millis < 0 { i64::MIN } else { i64::MAX }))
}
