//! `FleetState`: the state of a fleet command. It is not stored: it follows from control, plan and counts, so it cannot
//! contradict them.

use crate::command::row::Command;
use crate::execution::row::Execution;
use crate::fleet::control::ControlState;
use crate::fleet::counts::totals::Counts;
use crate::fleet::plan::row::Plan;
use crate::fleet::schedule::opening::Opening;
use crate::fleet::target::Fleet;
use crate::timestamp::Timestamp;

/// The state of a fleet command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FleetState {
    /// The target is being read, and no request was sent.
    Planning,
    /// The schedule has not opened yet.
    Scheduled,
    /// Requests are being sent, or executions have not ended.
    InProgress,
    /// No request is sent until an operator resumes the command.
    Paused,
    /// All executions have ended, and no more follow.
    Completed,
    /// The command was canceled.
    Canceled,
}

impl FleetState {
    /// The state of this command at `now`.
    pub fn of(command: &Command, fleet: &Fleet, plan: Option<&Plan>, counts: &Counts, now: Timestamp) -> Self {
        match command.control.state {
            ControlState::Canceled { .. } => return Self::Canceled,
            ControlState::Paused => return Self::Paused,
            ControlState::Running => {}
        }
        let Some(plan) = plan else { return Self::Planning };
        if is_completed(fleet, plan, counts) {
            return Self::Completed;
        }
        let has_started = counts.executions() > 0 || plan.progress.released > 0;
        match fleet.schedule.opening(now) {
            Opening::At(_) if !has_started => Self::Scheduled,
            _ if has_started || plan.complete => Self::InProgress,
            _ => Self::Planning,
        }
    }

    /// The state of a command for one thing, whose execution this is.
    pub fn of_one_thing(execution: &Execution) -> Self {
        if execution.is_terminal() { Self::Completed } else { Self::InProgress }
    }

    /// The word that the API shows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planning => "PLANNING",
            Self::Scheduled => "SCHEDULED",
            Self::InProgress => "IN_PROGRESS",
            Self::Paused => "PAUSED",
            Self::Completed => "COMPLETED",
            Self::Canceled => "CANCELED",
        }
    }
}

/// Whether all executions have ended and no more follow. Plan and counts may lag behind, each by itself. That can only
/// delay the completion: all compared numbers only grow until they are equal.
fn is_completed(fleet: &Fleet, plan: &Plan, counts: &Counts) -> bool {
    let released = plan.released_things(fleet);
    let all_released = plan.complete && (plan.closed || released == plan.things);
    all_released && counts.reached() == released && counts.open() == 0
}
