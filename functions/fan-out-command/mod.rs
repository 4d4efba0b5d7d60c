//! fan-out-command: reads the target of a fleet command into batches, releases them, and propagates pause and cancel.
mod handler;
mod pages;
mod planner;
mod propagate_control;
mod release;
mod send_broadcast;
mod store_batches;

pub use handler::handle;
