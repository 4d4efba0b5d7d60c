//! Drives executions: does what their rows need until nothing is left to do now. What it does outside of itself are the
//! calls of [`calls::Calls`].
//!
//! - [`driver`]: what a function needs to work on executions; reads and conditional writes of their rows
//! - [`conflict`]: the retries of a conditional write that is lost
//! - [`run`]: drives a row until it is idle: verdicts, retries, sending, clean-up
//! - [`drive_stats`]: what was done while rows were driven
//! - [`due`]: drives an execution that is due
//! - [`create`]: creates a command for one thing; [`batch_thing`]: its part of a fleet command
//! - [`online`], [`monitor`]: sends what waits for a device; looks at an execution whose batch is due for it
//! - [`start`]: stores, then sends: a new execution, or one whose start an earlier run did not finish
//! - [`cancel`]: cancels an execution, and notifies its device
//! - [`claim`], [`send`], [`transmit`]: claims a request, sends it on its channel, records the result
//! - [`lane_entry`], [`lane_exit`]: enters a lane and supersedes; leaves a lane and sends the next execution
//! - `lane_settlement`: leaves a lane in which several executions have ended
//! - `raw_request`: notes which execution a raw request is of
//! - [`shadow_cleanup`]: removes a request from a shadow
//! - [`report`], [`finish`], [`shadow_reports`], [`desired_state`]: applies what a device reports
//! - [`broadcast_state`]: whether the message of a broadcast was sent

pub mod batch_thing;
pub mod broadcast_state;
pub mod cancel;
pub mod claim;
pub mod conflict;
pub mod create;
pub mod desired_state;
pub mod drive_stats;
pub mod driver;
pub mod due;
pub mod finish;
pub mod lane_entry;
pub mod lane_exit;
mod lane_settlement;
pub mod monitor;
pub mod online;
mod raw_request;
pub mod report;
pub mod run;
pub mod send;
pub mod shadow_cleanup;
pub mod shadow_reports;
pub mod start;
pub mod transmit;
