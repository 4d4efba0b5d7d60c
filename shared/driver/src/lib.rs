//! Drives executions: does what their rows need until nothing is left to do now.
//!
//! - [`driver`]: what a function needs to work on executions; reads and conditional writes of their rows
//! - [`run`]: drives a row until it is idle: verdicts, retries, sending, clean-up
//! - [`start`]: stores, then sends: a new execution, or one whose start an earlier run did not finish
//! - [`cancel`]: cancels an execution, and notifies its device
//! - [`claim`], [`send`], [`transmit`]: claims a request, sends it on its channel, records the result
//! - [`lane_entry`], [`lane_exit`]: enters a lane and supersedes; leaves a lane and sends the next execution
//! - [`shadow_cleanup`]: removes a request from a shadow
//! - [`broadcast_state`]: whether the message of a broadcast was sent

pub mod broadcast_state;
pub mod cancel;
pub mod claim;
pub mod driver;
pub mod lane_entry;
pub mod lane_exit;
pub mod run;
pub mod send;
pub mod shadow_cleanup;
pub mod start;
pub mod transmit;
