//! How long the requests of a fleet command take by rollout, schedule and AWS's default quotas, for the dry run.

use domain::{
    Delivery, Fleet, Timestamp,
    fleet::{Assumption, Estimate},
};

/// MQTT messages per second that an account may publish: AWS IoT Core's default quota in the larger Regions (2,000 in
/// the smaller ones).
const PUBLISHES_PER_SECOND: u64 = 20_000;
/// Shadow requests per second that an account may make, in the same Regions.
const SHADOW_REQUESTS_PER_SECOND: u64 = 4_000;

/// What the duration assumes if the quotas make it longer than the rollout is.
const DEFAULT_QUOTAS: &str = "DEFAULT_QUOTAS";

/// The time from now until the last request is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Duration {
    /// Seconds; none if the schedule ends before.
    pub seconds: Option<u64>,
    /// What the number of seconds assumes, as the API shows it.
    pub assumes: Vec<&'static str>,
}

impl Duration {
    /// The duration for this many things. The quotas count from the time of the first request on.
    pub(super) fn of(fleet: &Fleet, delivery: Delivery, things: u64, now: Timestamp) -> Self {
        let Estimate { seconds, assumes } = fleet.rollout.duration(&fleet.schedule, things, now);
        let mut assumes: Vec<_> = assumes.into_iter().map(Assumption::as_str).collect();
        let first = fleet.rollout.duration(&fleet.schedule, 1, now).seconds.unwrap_or(0);
        let by_quotas = first.saturating_add(seconds_by_quotas(delivery, things));
        if seconds.is_some_and(|seconds| by_quotas > seconds) {
            assumes.push(DEFAULT_QUOTAS);
        }
        Self { seconds: seconds.map(|seconds| seconds.max(by_quotas)), assumes }
    }
}

/// Requests and reports share the quota of messages.
fn seconds_by_quotas(delivery: Delivery, things: u64) -> u64 {
    match delivery {
        Delivery::Topic | Delivery::Direct | Delivery::Auto => things.saturating_mul(2).div_ceil(PUBLISHES_PER_SECOND),
        Delivery::Broadcast => things.div_ceil(PUBLISHES_PER_SECOND),
        Delivery::Shadow => things.div_ceil(SHADOW_REQUESTS_PER_SECOND),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use domain::{Abort, Rollout, Schedule, Selection, fleet::RolloutOptions};

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn fleet(per_minute: Option<i64>, schedule: Schedule) -> Fleet {
        let rollout = Rollout::new(&RolloutOptions { maximum_per_minute: per_minute, ..RolloutOptions::default() });
        let (abort, selection) = (Abort::default(), Selection::default());
        Fleet { selection, rollout: rollout.unwrap(), schedule, abort, broadcast: None }
    }

    fn duration(fleet: &Fleet, delivery: Delivery, things: u64) -> Duration {
        Duration::of(fleet, delivery, things, NOW)
    }

    #[test]
    fn an_immediate_rollout_takes_as_long_as_the_quotas_allow() {
        let million = |delivery| duration(&fleet(None, Schedule::default()), delivery, 1_000_000);
        assert_eq!(million(Delivery::Topic).seconds, Some(100));
        assert_eq!(million(Delivery::Direct).seconds, Some(100));
        assert_eq!(million(Delivery::Broadcast).seconds, Some(50));
        assert_eq!(million(Delivery::Shadow).seconds, Some(250));
        assert_eq!(million(Delivery::Topic).assumes, [DEFAULT_QUOTAS]);
    }

    #[test]
    fn a_slow_rollout_does_not_depend_on_quotas() {
        let slow = duration(&fleet(Some(1000), Schedule::default()), Delivery::Topic, 10_001);
        assert_eq!((slow.seconds, slow.assumes), (Some(600), vec![]));
    }

    #[test]
    fn quotas_count_from_the_first_request_on() {
        let later = Schedule { not_before: Some(NOW.plus_seconds(3600)), ..Schedule::default() };
        assert_eq!(duration(&fleet(None, later), Delivery::Topic, 10_000).seconds, Some(3601));
        let too_short = Schedule { not_after: Some(NOW.plus_seconds(10)), ..Schedule::default() };
        assert_eq!(duration(&fleet(Some(1), too_short), Delivery::Topic, 10_000).seconds, None);
    }
}
