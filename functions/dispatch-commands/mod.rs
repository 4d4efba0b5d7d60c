//! Executions are written and go out: those of a batch that is ready, and what waited for a device that is back.
mod back;
mod batch;
mod begin;
mod handler;
mod outgoing;
mod throttle;
mod watching;

pub use handler::handle;
pub use throttle::Throttle;
