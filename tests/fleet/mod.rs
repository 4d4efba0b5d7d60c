//! Fleet commands, one command for many things, end to end.
//!
//! The files `operator`, `simulated_things`, `send_timeline`, `recount`, `process_killer`, `slow_processes` and
//! `thing_process` hold what the tests share.

mod abort;
mod bad_input;
mod broadcast;
mod broadcast_faults;
mod changing_groups;
mod control;
mod costs;
mod crashes;
mod deadlines;
mod deliveries;
mod dry_run;
mod gates;
mod group_command;
mod memory;
mod mixed;
pub mod operator;
mod pace;
mod pause;
mod process_killer;
mod progress_events;
mod recount;
mod rollout;
mod schedule;
mod send_timeline;
pub mod simulated_things;
#[cfg(target_os = "linux")]
mod slow_processes;
mod slowness;
mod stream_faults;
mod targets;
mod ten_thousand;
mod thing_process;
mod waiting;
