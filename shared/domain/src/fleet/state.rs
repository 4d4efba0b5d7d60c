//! A fleet command in a word. Nobody stores it: it follows from what an operator made of it, from its plan and from its counts, and so can't
//! disagree with them.

use super::{ControlState, Counts, Fleet, Open, Plan};
use crate::{Command, Timestamp};

/// How a fleet command stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FleetState {
    /// Its target is being read, and nothing has gone out.
    Planning,
    /// Its time has not come.
    Scheduled,
    /// It goes out, or is awaited.
    InProgress,
    /// Nothing more goes out until it is resumed.
    Paused,
    /// All that will ever go out has gone out and ended.
    Completed,
    /// It was called off.
    Canceled,
}

impl FleetState {
    /// How this command stands at this time.
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
        let begun = counts.executions() > 0 || plan.pace.released > 0;
        match fleet.schedule.opens(now) {
            Open::At(_) if !begun => Self::Scheduled,
            _ if begun || plan.complete => Self::InProgress,
            _ => Self::Planning,
        }
    }

    /// The word.
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

/// Whether nothing is awaited any more. Counts may lag, and each for itself; but all that is compared here only grows until it is so, and so it
/// is so once it looks so.
fn is_completed(fleet: &Fleet, plan: &Plan, counts: &Counts) -> bool {
    let out = if fleet.is_immediate() { plan.things } else { plan.pace.released };
    let all = plan.complete && (plan.closed || out == plan.things);
    all && counts.reached() == out && counts.open() == 0
}
