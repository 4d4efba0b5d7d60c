//! Looks for due work at each tick, and where a wake says, and does it: verdicts, retries, sendings, clean-ups; due plans
//! and batches are woken.
mod due_executions;
mod due_fleets;
mod due_shard;
mod early;
mod event;
mod handler;
mod look_ahead;
mod run;
mod summary;
mod ticks;
mod wake;

pub use handler::{Answer, handle};
pub use ticks::{IntervalError, TickInterval, Ticks};
