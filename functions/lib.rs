//! The Lambda functions: each receives its events, asks `domain` what they mean, and lets `aws` do it. The folders'
//! `main.rs` only start them.
//!
//! - a folder for each function
//! - [`config`], [`telemetry`], [`failure`], [`time`]: how they start, what they count, how they fail, how times are written
#[path = "command-api/mod.rs"]
pub mod command_api;
pub mod config;
pub mod failure;
#[path = "reconcile-commands/mod.rs"]
pub mod reconcile_commands;
pub mod telemetry;
pub mod time;
#[path = "track-command/handler.rs"]
pub mod track_command;
#[path = "trim-shadow/mod.rs"]
pub mod trim_shadow;

#[cfg(test)]
mod fixtures;
