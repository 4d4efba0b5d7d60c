//! Commands in device shadows: for devices that listen to nothing else, or are rarely there to listen.
//!
//! - [`ShadowRoute`]: in which shadow, and in which dialect; what is written there to deliver a command, and to withdraw it
//! - [`ShadowUpdate`], [`ShadowError`]: that writing, and why it can't be
//! - [`ShadowEvent`]: a shadow has changed, and what its device says in it
//! - [`agrees`], [`overlaps`]: whether a wanted state is reached, and whether two of them are about the same
//!
//! Shapes and limits: AWS IoT Developer Guide, "Device Shadow service documents" and its error messages.

mod atlas;
mod document;
mod error;
mod event;
mod limits;
mod map;
mod route;
mod state;
mod update;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod model;

pub use error::ShadowError;
pub use event::{ShadowEvent, ShadowEventError, ShadowReport, ShadowReportError, ShadowReports};
pub use route::{ShadowRoute, UnknownRoute};
pub use state::{agrees, overlaps};
pub use update::ShadowUpdate;
