//! Schedule of a fleet command: from when, until when and at which time of the day requests are sent.
//!
//! - [`config`]: `Schedule` and its rules; [`opening`]: whether it is open; [`window`]: the daily time window
//! - [`limits`], [`error`]: refused schedules; [`stored`]: the stored form

pub(crate) mod config;
pub(crate) mod error;
pub(crate) mod limits;
pub(crate) mod opening;
pub(crate) mod stored;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod window;
