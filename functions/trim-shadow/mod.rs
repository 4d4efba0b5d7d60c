//! trim-shadow: publishes shadow messages again, trimmed to the few bytes that a constrained device needs.
mod event;
mod handler;
mod newest_versions;

pub use handler::Trimmer;
