//! The body of `POST /commands`: from JSON to a validated definition.

mod body;
mod fleet;
mod lane;
mod pacing;
mod retry;

pub use body::{CreateBody, decode};
