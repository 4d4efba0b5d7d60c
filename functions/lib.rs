//! What the functions share: how they start, what they count, how they fail, how times are written.
pub mod config;
pub mod failure;
pub mod telemetry;
pub mod time;
