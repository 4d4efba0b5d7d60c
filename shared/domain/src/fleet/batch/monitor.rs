//! When the executions of a batch are looked at again.

use crate::actor::Actor;
use crate::command::row::Command;
use crate::execution::next_action::NextAction;
use crate::execution::row::Execution;
use crate::fleet::batch::actions::BatchActions;
use crate::fleet::batch::row::Batch;
use crate::timestamp::Timestamp;

/// What the monitor of a batch does with one of its executions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecutionCheck {
    /// Nothing: the execution has ended, or has a due entry of its own.
    Nothing,
    /// Nothing now: it has to be looked at again at this time.
    Later(Timestamp),
    /// The execution's next action is done now.
    RunNow,
}

impl ExecutionCheck {
    /// What to do with this execution at `now`. `actor`: the function that would do it.
    pub fn of(execution: &Execution, now: Timestamp, actor: &Actor) -> Self {
        if execution.due_at.is_some() {
            return Self::Nothing;
        }
        match execution.next_action(now, actor) {
            NextAction::Nothing if execution.is_terminal() => Self::Nothing,
            NextAction::Nothing => Self::Later(execution.next_due_at(now)),
            _ => Self::RunNow,
        }
    }
}

impl Batch {
    /// How long an execution that could not be processed waits for the next look.
    const RECHECK_SECONDS: u32 = 60;

    /// When an execution that could not be processed is looked at again.
    pub fn recheck_at(now: Timestamp) -> Timestamp {
        now.plus_seconds(Self::RECHECK_SECONDS)
    }

    /// Whether its executions have to be looked at.
    pub(super) fn is_monitor_due(&self, now: Timestamp) -> bool {
        self.monitor_at.is_some_and(|at| at <= now)
    }

    /// When the executions have to be looked at after these actions; the outer option is none if that does not change.
    ///
    /// `recheck_at` is the earliest time that the executions gave which were canceled or monitored; it is ignored if
    /// none were.
    pub fn monitor_after(
        &self,
        command: &Command,
        actions: BatchActions,
        may_have_executions: bool,
        recheck_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Option<Timestamp>> {
        if actions.hold && may_have_executions && self.monitor_at.is_none() {
            // The invocation that had claimed the batch has crashed. What it sent is monitored, although nothing more
            // is sent.
            return Some(Some(Self::first_monitor_at(command, now)));
        }
        let looked = actions.cancel_executions || actions.monitor;
        let earlier = if looked { recheck_at } else { self.monitor_at };
        if actions.send {
            let first = Self::first_monitor_at(command, now);
            return Some(Some(earlier.map_or(first, |at| at.min(first))));
        }
        looked.then_some(earlier)
    }

    /// The end of the ttl of executions that were sent before `now`. The ttl of a broadcast counts from its creation,
    /// that of other executions from when they were sent.
    fn first_monitor_at(command: &Command, now: Timestamp) -> Timestamp {
        let is_broadcast = command.definition.target.fleet().is_some_and(|fleet| fleet.broadcast.is_some());
        if is_broadcast { command.start_by() } else { now.plus_seconds(command.definition.deadlines.ttl_seconds()) }
    }
}
