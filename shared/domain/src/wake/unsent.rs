//! What of a fleet command is still to be sent. A look at the next entries counts on it: requests are sent faster than
//! they leave their shadows, so what has to begin early is too late once all of them are in the due index.

use std::ops::RangeInclusive;

use crate::command::delivery::Delivery;
use crate::command::row::Command;
use crate::execution::shadow_expiry::seconds_in_shadow;
use crate::fleet::counts::totals::Counts;
use crate::fleet::plan::row::Plan;
use crate::status::Status;
use crate::timestamp::Timestamp;

/// Requests that will soon be sent, and end in their shadows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsent {
    /// How many.
    pub requests: u64,
    /// The due entries that the first and the last of them will have, in seconds since 1970.
    pub due: RangeInclusive<i64>,
}

impl Unsent {
    /// What is left of a command at `now`, if it goes on as it has until now: at the pace at which its things were asked,
    /// and with as many whose device does not answer. None of a command that goes through no shadow, is not sent as fast as possible,
    /// or of which nothing was sent yet.
    ///
    /// `due`: the entries of the due index. Counts come from a stream and may be late, just when much is sent. So entries in
    /// the seconds in which requests of this command are due count as its own, also those of another command.
    pub fn of(
        command: &Command,
        plan: &Plan,
        counts: &Counts,
        due: impl Iterator<Item = i64>,
        now: Timestamp,
    ) -> Option<Self> {
        let fleet = command.definition.target.fleet()?;
        let may_use_shadows = matches!(command.definition.delivery, Delivery::Shadow | Delivery::Auto);
        let is_paced = !fleet.is_immediate() || !command.control.is_running();
        let in_shadow = i64::from(seconds_in_shadow(command.definition.deadlines.ttl_seconds()));
        let [earliest, first] = [command.created_at, now].map(|at| at.as_seconds() + in_shadow);
        let indexed = u64::try_from(due.filter(|due| (earliest..=first).contains(due)).count()).unwrap_or(u64::MAX);
        // Those that were withdrawn early stayed in their shadows too. One in progress is not withdrawn early.
        let stayed = counts.status(Status::Created).saturating_add(counts.status(Status::TimedOut));
        let counted = counts.reached();
        let asked = counted.max(indexed);
        let elapsed = now.as_seconds().saturating_sub(command.created_at.as_seconds()).max(1).unsigned_abs();
        // A target that has not been read to its end goes on, at the least until the next look.
        let goes_on = if plan.complete { 0 } else { asked.saturating_mul(UNREAD_SECONDS) / elapsed };
        let left = plan.things.saturating_sub(asked).max(goes_on);
        if !may_use_shadows || is_paced || asked == 0 || left == 0 {
            return None;
        }
        let last_after = elapsed.saturating_mul(left) / asked;
        let last = first.saturating_add(i64::try_from(last_after).unwrap_or(i64::MAX));
        let requests = left.saturating_mul(stayed).checked_div(counted).unwrap_or(left);
        // What waits for its device, or has reached it directly, has no entry.
        let is_auto = command.definition.delivery == Delivery::Auto;
        let requests = if is_auto { requests.min(left.saturating_mul(indexed) / asked) } else { requests };
        Some(Self { requests, due: first..=last })
    }

    /// The due entries that one of `shards` shards will have.
    pub fn due_in_shard(&self, shards: u8) -> Vec<i64> {
        let number = i64::try_from(self.requests / u64::from(shards.max(1))).unwrap_or(i64::MAX).min(MAX_IN_SHARD);
        let (first, length) = (*self.due.start(), self.due.end().saturating_sub(*self.due.start()));
        (0..number).map(|n| first + length.saturating_mul(n) / number).collect()
    }
}

/// For how long a target that has not been read to its end is expected to go on, in seconds: until the look after the next
/// one would find it.
const UNREAD_SECONDS: u64 = 30;

/// More than can leave their shadows in the time by which they may do so early.
const MAX_IN_SHARD: i64 = 1_000;

#[cfg(test)]
mod tests {
    use std::iter;

    use super::*;
    use crate::execution::fixtures::{CREATED_AT, command};
    use crate::fleet::abort::criteria::Abort;
    use crate::fleet::control::{Control, ControlState};
    use crate::fleet::counts::contribution::Contribution;
    use crate::fleet::rollout::config::Rollout;
    use crate::fleet::rollout::options::RolloutOptions;
    use crate::fleet::schedule::config::Schedule;
    use crate::fleet::selection::Selection;
    use crate::fleet::target::{Fleet, Target};
    use crate::names::GroupName;
    use crate::status::DeliveryStatus;

    fn fleet_command(delivery: Delivery, per_minute: Option<i64>) -> Command {
        let mut command = command(delivery, None);
        let options = RolloutOptions { maximum_per_minute: per_minute, ..RolloutOptions::default() };
        command.definition.target = Target::Fleet(Box::new(Fleet {
            selection: Selection::new(&[], vec![GroupName::parse("pumps").unwrap()], None, &[]),
            rollout: Rollout::new(&options).unwrap(),
            schedule: Schedule::default(),
            abort: Abort::default(),
            broadcast: None,
        }));
        command
    }

    /// What is left of a command for 20,000 things, 20 seconds after it was created.
    fn left(command: &Command, open: u32, ended: u32) -> Option<Unsent> {
        left_of(command, &[(Status::Created, open), (Status::Succeeded, ended)])
    }

    fn left_of(command: &Command, asked: &[(Status, u32)]) -> Option<Unsent> {
        let mut counts = Counts::default();
        for (status, number) in asked {
            let contribution =
                Contribution::Execution { status: *status, delivery_status: DeliveryStatus::Sent, reason: None };
            (0..*number).for_each(|_| counts.fold(None, Some(&contribution)));
        }
        let plan = Plan { things: 20_000, complete: true, ..Plan::new(command, CREATED_AT) };
        Unsent::of(command, &plan, &counts, iter::empty(), CREATED_AT.plus_seconds(20))
    }

    #[test]
    fn what_the_counts_do_not_know_yet_is_seen_in_the_due_index() {
        let command = fleet_command(Delivery::Shadow, None);
        let plan = Plan { things: 20_000, complete: true, ..Plan::new(&command, CREATED_AT) };
        let first = CREATED_AT.as_seconds() + i64::from(command.definition.deadlines.ttl_seconds()) - 5;
        let of = |due: &[i64]| {
            let due = due.iter().flat_map(|due| iter::repeat_n(*due, 4_000));
            Unsent::of(&command, &plan, &Counts::default(), due, CREATED_AT.plus_seconds(20))
        };
        let unsent = of(&[first, first + 20]).expect("12,000 are left");
        assert_eq!((unsent.requests, unsent.due), (12_000, first + 20..=first + 50));
        assert_eq!(of(&[first - 1, first + 21]), None, "of other commands");
    }

    #[test]
    fn what_is_left_is_sent_as_fast_as_what_was_sent_and_stays_open_as_often() {
        let command = fleet_command(Delivery::Shadow, None);
        let first = CREATED_AT.as_seconds() + 20 + i64::from(command.definition.deadlines.ttl_seconds()) - 5;
        let unsent = |requests, last_after| Some(Unsent { requests, due: first..=first + last_after });
        assert_eq!(left(&command, 8_000, 0), unsent(12_000, 30));
        assert_eq!(left(&command, 800, 7_200), unsent(1_200, 30), "a tenth of them has not answered");
        let begun = [(Status::Created, 800), (Status::InProgress, 7_200)];
        assert_eq!(left_of(&command, &begun), unsent(1_200, 30), "what has begun is not withdrawn early");
        let withdrawn = [(Status::Created, 500), (Status::TimedOut, 300), (Status::Succeeded, 7_200)];
        assert_eq!(left_of(&command, &withdrawn), unsent(1_200, 30), "some of the tenth were withdrawn early");
        assert_eq!((left(&command, 0, 0), left(&command, 20_000, 0)), (None, None));
    }

    #[test]
    fn nothing_is_expected_in_shadows_that_does_not_go_there_as_fast_as_possible() {
        for delivery in [Delivery::Direct, Delivery::Topic] {
            assert_eq!(left(&fleet_command(delivery, None), 8_000, 0), None);
        }
        assert_eq!(left(&fleet_command(Delivery::Shadow, Some(600)), 8_000, 0), None);
        let mut paused = fleet_command(Delivery::Shadow, None);
        let actor = paused.created_by.clone();
        paused.control = Control::default().change_to(ControlState::Paused, CREATED_AT, actor, None).unwrap();
        assert_eq!(left(&paused, 8_000, 0), None);
    }

    #[test]
    fn of_what_goes_through_several_channels_only_what_has_entries_is_expected() {
        let command = fleet_command(Delivery::Auto, None);
        let plan = Plan { things: 20_000, complete: true, ..Plan::new(&command, CREATED_AT) };
        let first = CREATED_AT.as_seconds() + i64::from(command.definition.deadlines.ttl_seconds()) - 5;
        let mut counts = Counts::default();
        let status =
            Contribution::Execution { status: Status::Created, delivery_status: DeliveryStatus::Queued, reason: None };
        (0..8_000).for_each(|_| counts.fold(None, Some(&status)));
        for (in_shadows, expected) in [(0, 0), (2_000, 3_000), (8_000, 12_000)] {
            let due = iter::repeat_n(first, in_shadows);
            let unsent = Unsent::of(&command, &plan, &counts, due, CREATED_AT.plus_seconds(20));
            assert_eq!(unsent.map(|unsent| unsent.requests), Some(expected), "{in_shadows}");
        }
    }

    #[test]
    fn target_that_is_still_read_goes_on() {
        let command = fleet_command(Delivery::Shadow, None);
        let first = CREATED_AT.as_seconds() + 20 + i64::from(command.definition.deadlines.ttl_seconds()) - 5;
        let plan = Plan { things: 8_400, complete: false, ..Plan::new(&command, CREATED_AT) };
        let due = || iter::repeat_n(first - 10, 8_000);
        let of = |plan: &Plan| Unsent::of(&command, plan, &Counts::default(), due(), CREATED_AT.plus_seconds(20));
        assert_eq!(of(&plan), Some(Unsent { requests: 12_000, due: first..=first + 30 }));
        let read = Plan { complete: true, ..plan };
        assert_eq!(of(&read), Some(Unsent { requests: 400, due: first..=first + 1 }));
    }

    #[test]
    fn each_shard_has_its_part_at_the_same_distances() {
        let unsent = Unsent { requests: 640, due: 100..=200 };
        assert_eq!(unsent.due_in_shard(64), [100, 110, 120, 130, 140, 150, 160, 170, 180, 190]);
        assert_eq!(Unsent { requests: 63, due: 100..=200 }.due_in_shard(64), [0; 0]);
        assert_eq!(Unsent { requests: u64::MAX, due: 0..=i64::MAX }.due_in_shard(1).len(), 1_000);
    }
}
