//! tally-command: counts the executions of fleet commands exactly, applies abort criteria, and wakes fan-out; tells what
//! changes of commands for one thing.
mod handler;
mod reactions;
mod single_commands;

pub use handler::handle;
