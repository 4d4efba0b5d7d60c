//! `UnaskedThing`: a thing of a fleet command that has no execution: whether and when it gets one.

use crate::command::row::Command;
use crate::fleet::counts::totals::Counts;
use crate::fleet::plan::row::Plan;
use crate::fleet::target::Fleet;
use crate::timestamp::Timestamp;

/// A thing in a batch that has no execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaskedThing {
    /// It gets its execution later.
    Waiting {
        /// How many things are released before it.
        ahead: u64,
        /// When it is released, as far as that follows from the rate and the schedule; none while the command is
        /// paused, while the canary or a wave comes first, or if the counts have to catch up.
        next_at: Option<Timestamp>,
    },
    /// It gets none.
    NotAsked(NotAskedReason),
}

/// Why a thing gets no execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAskedReason {
    /// The command was canceled.
    Canceled,
    /// The schedule has ended.
    ScheduleEnded,
}

impl UnaskedThing {
    /// What becomes of the thing at this place, counted from 0 in the order of the batches.
    pub fn of(command: &Command, fleet: &Fleet, plan: &Plan, counts: &Counts, place: u64, now: Timestamp) -> Self {
        let released = plan.released_things(fleet);
        if command.control.is_canceled() {
            return Self::NotAsked(NotAskedReason::Canceled);
        }
        if plan.closed && place >= released {
            return Self::NotAsked(NotAskedReason::ScheduleEnded);
        }
        let next_at = match place < released {
            true => command.control.is_running().then_some(now),
            false => plan.release_at_place(command, fleet, counts, place, now),
        };
        Self::Waiting { ahead: place.saturating_sub(released), next_at }
    }

    /// The word that the API shows instead of a status.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Waiting { .. } => "WAITING",
            Self::NotAsked(_) => "NOT_ASKED",
        }
    }

    /// What the thing waits for, as text for the operator. `show` writes an instant.
    pub fn explanation(&self, command: &Command, show: impl Fn(Timestamp) -> String) -> String {
        match self {
            Self::NotAsked(NotAskedReason::Canceled) => "It is not asked: the command was canceled before.".to_owned(),
            Self::NotAsked(NotAskedReason::ScheduleEnded) => {
                "It is not asked: the schedule of the command ended before.".to_owned()
            }
            Self::Waiting { .. } if command.control.is_paused() => {
                "It waits, because the command is paused: a resume goes on with it.".to_owned()
            }
            Self::Waiting { ahead, next_at: Some(at) } => {
                format!("It waits in the rollout; things before it: {ahead}. It is asked at {}.", show(*at))
            }
            Self::Waiting { ahead, next_at: None } => {
                format!(
                    "It waits in the rollout; things before it: {ahead}. They go on when those asked so far have ended."
                )
            }
        }
    }
}

impl Plan {
    /// When the thing at this place is released; none if that does not depend on rate and schedule alone.
    fn release_at_place(
        &self,
        command: &Command,
        fleet: &Fleet,
        counts: &Counts,
        place: u64,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let next = self.next_release_at(command, fleet, counts, now)?;
        let released = self.progress.released;
        if place >= fleet.rollout.releasable(released, &self.rollout_snapshot(counts)) {
            return None;
        }
        let things = place.saturating_sub(released).saturating_add(1);
        fleet.schedule.after_open_time(next, fleet.rollout.open_millis(released, things))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::actor::Actor;
    use crate::command::delivery::Delivery;
    use crate::execution::fixtures::{CREATED_AT, command};
    use crate::fleet::abort::criteria::Abort;
    use crate::fleet::control::ControlState;
    use crate::fleet::rollout::config::Rollout;
    use crate::fleet::rollout::options::{CanaryOptions, RolloutOptions};
    use crate::fleet::rollout::progress::RolloutProgress;
    use crate::fleet::schedule::config::Schedule;
    use crate::fleet::selection::Selection;
    use crate::status::Reason;

    fn fleet(canary: Option<i64>) -> Fleet {
        let canary = canary.map(|things| CanaryOptions { things, success_percentage: None });
        let options = RolloutOptions { maximum_per_minute: Some(60), canary, ..RolloutOptions::default() };
        let (rollout, schedule) = (Rollout::new(&options).unwrap(), Schedule::default());
        Fleet { selection: Selection::default(), rollout, schedule, abort: Abort::default(), broadcast: None }
    }

    /// A plan of a hundred things, of which one was released at the creation.
    fn plan(command: &Command) -> Plan {
        let progress = RolloutProgress { released: 1, rate_used_until: Some(CREATED_AT) };
        Plan { things: 100, complete: true, progress, ..Plan::new(command, CREATED_AT) }
    }

    fn at_place(command: &Command, fleet: &Fleet, plan: &Plan, place: u64) -> UnaskedThing {
        UnaskedThing::of(command, fleet, plan, &Counts::default(), place, CREATED_AT)
    }

    fn controlled(command: &Command, state: ControlState) -> Command {
        let control = command.control.change_to(state, CREATED_AT, Actor::caller("ada"), None).unwrap();
        Command { control, ..command.clone() }
    }

    #[test]
    fn thing_that_waits_is_asked_in_the_order_of_the_rate() {
        let (running, fleet) = (command(Delivery::Topic, None), fleet(None));
        let next_at = |place| match at_place(&running, &fleet, &plan(&running), place) {
            UnaskedThing::Waiting { ahead, next_at: Some(at) } => (ahead, at.as_seconds() - CREATED_AT.as_seconds()),
            other => panic!("{other:?}"),
        };
        assert_eq!([next_at(0), next_at(1), next_at(2), next_at(61)], [(0, 0), (0, 1), (1, 2), (60, 61)]);
        let shown = at_place(&running, &fleet, &plan(&running), 2).explanation(&running, |_| "noon".to_owned());
        assert_eq!(shown, "It waits in the rollout; things before it: 1. It is asked at noon.");
    }

    #[test]
    fn time_is_not_known_behind_a_canary_or_during_a_pause() {
        let (running, canary) = (command(Delivery::Topic, None), fleet(Some(3)));
        let plan = plan(&running);
        let waits = |command: &Command, place| match at_place(command, &canary, &plan, place) {
            UnaskedThing::Waiting { next_at, .. } => next_at.is_some(),
            other => panic!("{other:?}"),
        };
        assert_eq!([waits(&running, 2), waits(&running, 3)], [true, false]);
        assert!(!waits(&controlled(&running, ControlState::Paused), 2));
    }

    #[test]
    fn thing_of_a_canceled_command_or_behind_the_end_of_the_schedule_is_not_asked() {
        let (running, fleet) = (command(Delivery::Topic, None), fleet(None));
        let cancel = ControlState::Canceled { force: false, reason: Reason::CanceledByOperator };
        let canceled = controlled(&running, cancel);
        let not_asked = UnaskedThing::NotAsked(NotAskedReason::Canceled);
        assert_eq!([0, 50].map(|place| at_place(&canceled, &fleet, &plan(&running), place)), [not_asked; 2]);
        let closed = Plan { closed: true, ..plan(&running) };
        let ended = UnaskedThing::NotAsked(NotAskedReason::ScheduleEnded);
        assert_eq!(at_place(&running, &fleet, &closed, 1), ended);
        assert_eq!(at_place(&running, &fleet, &closed, 0).as_str(), "WAITING", "it was released before");
    }
}
