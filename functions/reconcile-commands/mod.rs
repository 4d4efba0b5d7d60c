//! Looks for due work at each tick, and does it: verdicts, retries, sendings, clean-ups; due plans and batches are
//! woken.
mod due_executions;
mod due_fleets;
mod event;
mod handler;
mod summary;
mod ticks;

pub use handler::handle;
pub use ticks::{IntervalError, TickInterval, Ticks};
