//! One command to many things.
//!
//! - [`Rollout`], [`Canary`], [`Waves`], [`ExponentialRate`], [`Estimate`]: how fast they are asked, and who comes first
//! - [`Schedule`], [`Window`], [`Open`]: when they are asked
//! - [`Abort`], [`Criterion`]: when it is given up
//! - [`Pace`], [`Step`]: how many of them may be out now
//! - [`Ends`]: how many have ended, and how

mod abort;
mod ends;
mod pace;
mod rollout;
mod schedule;
mod stored;

pub use abort::{Abort, AbortAction, AbortError, AbortFailure, AskedCriterion, Criterion};
pub use ends::Ends;
pub use pace::{Pace, Seen, Step, Stop};
pub use rollout::{
    AskedCanary, AskedIncrease, AskedRate, AskedRollout, AskedWaves, Assumption, Canary, Estimate, ExponentialRate,
    Gate, Increase, Rollout, RolloutError, Waves,
};
pub use schedule::{Open, Schedule, ScheduleError, Window};
pub use stored::StoredError;
