//! `UnaskedThings`: the things of a fleet command that have no execution, and whether they still wait for one.

use crate::command::row::Command;
use crate::fleet::counts::totals::Counts;
use crate::fleet::plan::row::Plan;
use crate::fleet::target::Fleet;

/// How many things have no execution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnaskedThings {
    /// Things that get their executions later.
    pub waiting: u64,
    /// Things that get none: the command was canceled, or its schedule has ended, before it was their turn. Of a
    /// canceled command they are all that have none by now, also those whose batch is being sent.
    pub not_asked: u64,
}

impl UnaskedThings {
    /// Those of a command. Plan and counts may lag behind, each by itself: then things that have an execution already
    /// are still among them.
    pub fn of(command: &Command, fleet: &Fleet, plan: Option<&Plan>, counts: &Counts) -> Self {
        let Some(plan) = plan else { return Self::default() };
        let unasked = plan.things.saturating_sub(counts.reached());
        let not_asked = match (command.control.is_canceled(), plan.closed) {
            (true, _) => unasked,
            (false, true) => plan.things.saturating_sub(plan.released_things(fleet)).min(unasked),
            (false, false) => 0,
        };
        Self { waiting: unasked - not_asked, not_asked }
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
    use crate::fleet::counts::contribution::Contribution;
    use crate::fleet::rollout::config::Rollout;
    use crate::fleet::rollout::options::RolloutOptions;
    use crate::fleet::rollout::progress::RolloutProgress;
    use crate::fleet::schedule::config::Schedule;
    use crate::fleet::selection::Selection;
    use crate::status::Reason;

    #[test]
    fn things_wait_until_the_command_or_its_schedule_ends() {
        let options = RolloutOptions { maximum_per_minute: Some(60), ..RolloutOptions::default() };
        let fleet = Fleet {
            selection: Selection::default(),
            rollout: Rollout::new(&options).unwrap(),
            schedule: Schedule::default(),
            abort: Abort::default(),
            broadcast: None,
        };
        let running = command(Delivery::Topic, None);
        let progress = RolloutProgress { released: 6, rate_used_until: None };
        let plan = Plan { things: 10, complete: true, progress, ..Plan::new(&running, CREATED_AT) };
        let mut counts = Counts::default();
        (0..4).for_each(|_| counts.fold(None, Some(&Contribution::Duplicate)));
        let unasked = |command: &Command, plan: &Plan| {
            let UnaskedThings { waiting, not_asked } = UnaskedThings::of(command, &fleet, Some(plan), &counts);
            (waiting, not_asked)
        };
        assert_eq!(unasked(&running, &plan), (6, 0));
        let closed = Plan { closed: true, ..plan.clone() };
        assert_eq!(unasked(&running, &closed), (2, 4), "those that are released still get their executions");
        let state = ControlState::Canceled { force: false, reason: Reason::CanceledByOperator };
        let control = running.control.change_to(state, CREATED_AT, Actor::caller("ada"), None).unwrap();
        let canceled = Command { control, ..running.clone() };
        assert_eq!((unasked(&canceled, &plan), unasked(&canceled, &closed)), ((0, 6), (0, 6)));
        assert_eq!(UnaskedThings::of(&running, &fleet, None, &counts), UnaskedThings::default());
    }
}
