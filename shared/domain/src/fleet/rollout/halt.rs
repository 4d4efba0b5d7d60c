//! `RolloutHalt`: why a rollout does not continue by itself.

use std::fmt;

use crate::fleet::rollout::gate::Gate;

/// Why a rollout stops. Its text is shown to the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RolloutHalt {
    /// All executions before a gate have ended and too few of them succeeded: the command is paused.
    TooFewSucceeded {
        /// The gate.
        gate: Gate,
        /// Executions that succeeded.
        succeeded: u64,
        /// Executions that have ended.
        of: u64,
        /// The percentage that must succeed.
        success_percentage: u8,
    },
    /// The schedule has ended before all things were released. The others are never released.
    NotAfterPassed {
        /// How many things planned so far are not released.
        left: u64,
    },
}

impl fmt::Display for RolloutHalt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFewSucceeded { gate, succeeded, of, success_percentage } => {
                write!(f, "{succeeded} of the {of} things of {gate} succeeded, less than {success_percentage} %")
            }
            Self::NotAfterPassed { left } => write!(f, "the schedule has ended, and {left} things were not released"),
        }
    }
}
