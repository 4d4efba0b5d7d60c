//! How fast AWS lets a fleet be asked, however fast it is asked for.

use super::{Assumption, Estimate, Fleet};
use crate::{Delivery, Timestamp};

/// Messages that an account may publish in a second: AWS IoT Core's default quota in the larger Regions (2,000 in smaller ones).
const PUBLISHES: u64 = 20_000;
/// Requests to shadows that an account may make in a second, by the same.
const SHADOW_REQUESTS: u64 = 4_000;

impl Fleet {
    /// How long it takes from now on until the last of so many things is asked: by the rollout and its schedule, and by what AWS lets through.
    pub fn duration(&self, delivery: Delivery, things: u64, now: Timestamp) -> Estimate {
        let mut asked = self.rollout.duration(&self.schedule, things, now);
        let first = self.rollout.duration(&self.schedule, 1, now).seconds.unwrap_or(0);
        let least = first.saturating_add(least(delivery, things));
        asked.seconds = asked.seconds.map(|seconds| {
            if least > seconds {
                asked.assumes.push(Assumption::DefaultQuotas);
            }
            seconds.max(least)
        });
        asked
    }
}

/// In seconds. Requests and answers share what may be published.
fn least(delivery: Delivery, things: u64) -> u64 {
    match delivery {
        Delivery::Topic | Delivery::Direct | Delivery::Auto => things.saturating_mul(2).div_ceil(PUBLISHES),
        Delivery::Broadcast => things.div_ceil(PUBLISHES),
        Delivery::Shadow => things.div_ceil(SHADOW_REQUESTS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Abort, Rollout, Schedule, Selection, fleet::AskedRollout};

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn fleet(per_minute: Option<i64>, schedule: Schedule) -> Fleet {
        let rollout = Rollout::new(&AskedRollout { maximum_per_minute: per_minute, ..AskedRollout::default() });
        let (abort, selection) = (Abort::default(), Selection::default());
        Fleet { selection, rollout: rollout.unwrap(), schedule, abort, broadcast: None }
    }

    #[test]
    fn a_million_things_take_as_long_as_aws_lets_them() {
        let takes = |delivery| fleet(None, Schedule::default()).duration(delivery, 1_000_000, NOW);
        assert_eq!(takes(Delivery::Topic).seconds, Some(100));
        assert_eq!(takes(Delivery::Direct).seconds, Some(100));
        assert_eq!(takes(Delivery::Broadcast).seconds, Some(50));
        assert_eq!(takes(Delivery::Shadow).seconds, Some(250));
        assert_eq!(takes(Delivery::Topic).assumes, [Assumption::DefaultQuotas]);
    }

    #[test]
    fn a_slow_rollout_takes_its_own_time() {
        let slow = fleet(Some(1000), Schedule::default()).duration(Delivery::Topic, 10_001, NOW);
        assert_eq!((slow.seconds, slow.assumes), (Some(600), vec![]));
    }

    #[test]
    fn it_counts_from_when_the_first_is_asked() {
        let later = Schedule { not_before: Some(NOW.plus_seconds(3600)), ..Schedule::default() };
        assert_eq!(fleet(None, later).duration(Delivery::Topic, 10_000, NOW).seconds, Some(3601));
        let over = Schedule { not_after: Some(NOW.plus_seconds(10)), ..Schedule::default() };
        assert_eq!(fleet(Some(1), over).duration(Delivery::Topic, 10_000, NOW).seconds, None);
    }
}
