//! `Gate`: a place in a rollout where it waits until all released executions have ended.

use std::fmt;

/// The stage whose results decide whether the rollout continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// The canary.
    Canary,
    /// The wave that ends at this percentage of the fleet.
    Wave(u8),
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Canary => f.write_str("the canary"),
            Self::Wave(percentage) => write!(f, "the wave up to {percentage} %"),
        }
    }
}
