//! dispatch-commands: sends the executions of batches that are ready, and what waits for a device that comes online.
mod batch_claim;
mod device_online;
mod dispatcher;
mod event;
mod handler;
mod monitor;
mod process_batch;
mod send;
mod summary;
mod throttle;

pub use handler::handle;
pub use throttle::Throttle;
