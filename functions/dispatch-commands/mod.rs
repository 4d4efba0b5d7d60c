//! dispatch-commands: sends the executions of batches that are ready, and what waits for a device that comes online;
//! and writes to shadows whether devices are connected.
mod batch_claim;
mod device_online;
mod dispatcher;
mod event;
mod handler;
mod monitor;
mod presence;
mod process_batch;
mod send;
mod summary;
mod throttle;

pub use handler::handle;
pub use presence::PresenceShadow;
pub use throttle::Throttle;
