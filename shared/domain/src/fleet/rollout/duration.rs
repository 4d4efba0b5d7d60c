//! How long a rollout takes by its own rate and schedule, as far as that is known before it starts.

use crate::fleet::rollout::config::Rollout;
use crate::fleet::rollout::rate::Increase;
use crate::fleet::schedule::config::Schedule;
use crate::timestamp::Timestamp;

/// The time from now until the last thing is released.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// Seconds, the wait for the first opening of the schedule included; none if the schedule ends before all things
    /// are released.
    pub seconds: Option<u64>,
    /// What the estimate assumes.
    pub assumes: Vec<Assumption>,
}

/// What an estimate assumes about the course of the rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Assumption {
    /// The canary and every wave end well, without delay.
    GatesOpenAtOnce,
    /// Every thing succeeds as soon as it is released, so that the rate grows.
    ThingsSucceedAtOnce,
}

impl Assumption {
    /// The word that the API shows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GatesOpenAtOnce => "GATES_OPEN_AT_ONCE",
            Self::ThingsSucceedAtOnce => "THINGS_SUCCEED_AT_ONCE",
        }
    }
}

impl Rollout {
    /// How long it takes from `now` on to release this many things.
    pub fn duration(&self, schedule: &Schedule, things: u64, now: Timestamp) -> Estimate {
        let end = schedule.after_open_time(now, self.open_millis(0, things));
        let seconds = end.map(|end| {
            let millis = i128::from(end.as_millis()) - i128::from(now.as_millis());
            u64::try_from((millis.max(0) + 999) / 1000).unwrap_or(u64::MAX)
        });
        let has_gates = self.canary.is_some() || self.waves.is_some();
        let grows_by_success =
            self.exponential.as_ref().is_some_and(|rate| matches!(rate.increase(), Increase::SucceededThings(_)));
        let assumes = [(has_gates, Assumption::GatesOpenAtOnce), (grows_by_success, Assumption::ThingsSucceedAtOnce)];
        Estimate {
            seconds,
            assumes: assumes.into_iter().filter(|(applies, _)| *applies).map(|(_, assumption)| assumption).collect(),
        }
    }

    /// The time between the first and the last of this many things after the first `released` ones, in milliseconds
    /// during which the schedule is open.
    pub(in crate::fleet) fn open_millis(&self, mut released: u64, things: u64) -> u128 {
        let mut left = things.saturating_sub(1);
        let mut millis = 0;
        let step = self.exponential.as_ref().map_or(u64::MAX, |rate| rate.increase().things());
        while left > 0 {
            let Some(rate) = self.rate(released, released) else { break };
            // A rate that has reached its limit stays there: one part for all that are left.
            let limit = self.maximum_per_minute.unwrap_or(Self::MAX_PER_MINUTE);
            let part = if rate >= limit { left } else { left.min(step) };
            millis += (u128::from(part) * 60_000).div_ceil(u128::from(rate.max(1)));
            left -= part;
            released = released.saturating_add(part);
        }
        millis
    }
}
