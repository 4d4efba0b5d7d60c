//! How long a rollout takes, as far as that can be known before it begins.

use super::{Increase, Rollout};
use crate::Timestamp;
use crate::fleet::Schedule;

/// How long it takes until the last thing is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// Seconds from now, the wait for the first opening included; none when the schedule ends before all have been asked.
    pub seconds: Option<u64>,
    /// What nobody can know and is taken for granted.
    pub assumes: Vec<Assumption>,
}

/// What an estimate takes for granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Assumption {
    /// The canary and every wave end well, and at once.
    GatesOpenAtOnce,
    /// Every thing succeeds as soon as it is asked, so that the rate grows.
    ThingsSucceedAtOnce,
    /// The account has the quotas that AWS gives it by default, and nobody else uses them.
    DefaultQuotas,
}

impl Assumption {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GatesOpenAtOnce => "GATES_OPEN_AT_ONCE",
            Self::ThingsSucceedAtOnce => "THINGS_SUCCEED_AT_ONCE",
            Self::DefaultQuotas => "DEFAULT_QUOTAS",
        }
    }
}

impl Rollout {
    /// How long it takes to ask so many things from now on, by the rates and the schedule.
    pub fn duration(&self, schedule: &Schedule, things: u64, now: Timestamp) -> Estimate {
        let end = schedule.after_open(now, self.millis(things));
        let seconds = end.map(|end| {
            let millis = i128::from(end.as_millis()) - i128::from(now.as_millis());
            u64::try_from((millis.max(0) + 999) / 1000).unwrap_or(u64::MAX)
        });
        let gates = self.canary.is_some() || self.waves.is_some();
        let succeeds =
            self.exponential.as_ref().is_some_and(|rate| matches!(rate.increase(), Increase::SucceededThings(_)));
        let assumes = [(gates, Assumption::GatesOpenAtOnce), (succeeds, Assumption::ThingsSucceedAtOnce)];
        Estimate { seconds, assumes: assumes.into_iter().filter(|(is, _)| *is).map(|(_, what)| what).collect() }
    }

    /// How long the last of so many things comes after the first, in milliseconds of open time.
    fn millis(&self, things: u64) -> u128 {
        let mut left = things.saturating_sub(1);
        let mut done = 0;
        let mut millis = 0;
        let step = self.exponential.as_ref().map_or(u64::MAX, |rate| rate.increase().things());
        while left > 0 {
            let Some(rate) = self.rate(done, done) else { break };
            // The rate stays when it has reached its limit: the rest goes at once.
            let limit = self.maximum_per_minute.unwrap_or(Self::FASTEST);
            let part = if rate >= limit { left } else { left.min(step) };
            millis += (u128::from(part) * 60_000).div_ceil(u128::from(rate.max(1)));
            left -= part;
            done = done.saturating_add(part);
        }
        millis
    }
}
