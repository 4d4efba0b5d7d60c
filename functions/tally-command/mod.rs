//! tally-command: counts the executions of fleet commands exactly, applies abort criteria, and wakes fan-out.
mod handler;
mod reactions;

pub use handler::handle;
