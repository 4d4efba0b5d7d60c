//! Rollout of a fleet command: how many things may have been released (rate, canary, waves, schedule) at a given time.
//!
//! - [`config`]: `Rollout`, the checked settings; [`options`]: the same as callers write and the table stores them
//! - [`parse`]: from options to settings and back; [`error`]: refused options
//! - [`rate`]: things per minute, and how the rate grows; [`token_bucket`]: the rate as time that is used up
//! - [`stages`]: canary and waves; [`gate`], [`gate_limit`], [`halt`]: where a rollout waits, and why it stops
//! - [`new_rate`]: another rate for a rollout that runs
//! - [`snapshot`], [`progress`]: what a step depends on, and the next step
//! - [`step_wakes`]: the messages that bring the next steps in time
//! - [`duration`]: how long a rollout takes

pub(crate) mod config;
pub(crate) mod duration;
pub(crate) mod error;
pub(crate) mod gate;
pub(crate) mod gate_limit;
pub(crate) mod halt;
pub(crate) mod new_rate;
pub(crate) mod options;
pub(crate) mod parse;
pub(crate) mod progress;
pub(crate) mod rate;
pub(crate) mod snapshot;
pub(crate) mod stages;
pub(crate) mod step_wakes;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod token_bucket;
