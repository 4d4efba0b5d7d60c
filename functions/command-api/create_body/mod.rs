//! The body of `POST /commands`: from JSON to a validated definition; and the rollout in the body of `PATCH`.

mod body;
mod fleet;
mod lane;
mod message;
mod pacing;
mod retry;
mod topics;

pub use body::{CreateBody, decode};
pub use fleet::take_rollout;
pub use pacing::{RATE, decode_rate};
pub use topics::Topics;
