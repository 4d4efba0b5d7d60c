//! Commands in device shadows, for devices that take no messages or are rarely connected: three dialects, what is
//! written to deliver a command and to remove it, and what devices report in their shadows. Also whether a device is
//! connected.
//!
//! Document shapes and limits: AWS IoT Developer Guide, "Device Shadow service documents" and "Device Shadow error
//! messages".

pub(crate) mod atlas;
pub(crate) mod attributes;
pub(crate) mod check;
pub(crate) mod delivery;
pub(crate) mod desired_state;
pub(crate) mod document;
pub(crate) mod error;
pub(crate) mod event;
pub(crate) mod limits;
pub(crate) mod map;
pub(crate) mod presence;
pub(crate) mod refusal;
pub(crate) mod removal;
pub(crate) mod reports;
pub(crate) mod route;
pub(crate) mod state;
pub(crate) mod update;

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
pub(crate) mod model;
