//! The Lambda functions: each receives its events, asks `domain` what they mean, and lets `aws` do it. The folders'
//! `main.rs` only start them.
//!
//! - a folder for each function
//! - [`turn`]: whatever row a function has in hand, it does what is owed to it; with [`send`], [`lane`] and [`withdraw`]
//! - [`cloud`]: what it does it with
//! - [`stream`], [`invocation`]: what a table's stream hands over, and when
//! - `unreadable`: what it makes of rows that can't be read; `unsent`: of those whose broadcast never went out
//! - [`config`], [`telemetry`], [`failure`], [`time`], [`stopwatch`]: how they start, what they count, how they fail, how times are written, how
//!   long something has taken
pub mod cloud;
#[path = "command-api/mod.rs"]
pub mod command_api;
pub mod config;
#[path = "dispatch-commands/mod.rs"]
pub mod dispatch_commands;
pub mod failure;
#[path = "fan-out-command/mod.rs"]
pub mod fan_out_command;
mod fleet_view;
pub mod invocation;
pub mod lane;
#[path = "reconcile-commands/mod.rs"]
pub mod reconcile_commands;
pub mod send;
pub mod stopwatch;
pub mod stream;
#[path = "tally-command/mod.rs"]
pub mod tally_command;
pub mod telemetry;
pub mod time;
#[path = "track-command/mod.rs"]
pub mod track_command;
#[path = "trim-shadow/mod.rs"]
pub mod trim_shadow;
pub mod turn;
mod unreadable;
mod unsent;
pub mod withdraw;

#[cfg(test)]
mod fixtures;
