//! What is due: expires and times out.
mod events;
mod handler;
mod ticks;

pub use handler::handle;
pub use ticks::{Every, EveryError, Ticks};
