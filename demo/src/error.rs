//! Why the demo ended early.

use std::fmt::Write;

use device::fleet::FleetError;
use device::open_files::TooFewFiles;
use local::registry::AddError;
use local::stack::StackError;

use super::api::ApiError;

#[derive(Debug, thiserror::Error)]
pub(super) enum DemoError {
    #[error("the stack did not start")]
    Stack(#[from] StackError),
    #[error("the fleet did not start")]
    Fleet(#[from] FleetError),
    #[error("the things could not be added to the registry")]
    Registry(#[from] AddError),
    #[error("the demo's own MQTT connection was not subscribed in time: is the machine overloaded?")]
    NotSubscribed,
    #[error("the command could not be followed to its end")]
    Api(#[from] ApiError),
    #[error(transparent)]
    Files(#[from] TooFewFiles),
    #[error("interrupted")]
    Interrupted,
    #[error("cannot create a temporary directory for certificates")]
    TempDir(#[from] std::io::Error),
}

/// An error and its sources, in one line.
pub(super) fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        // Writing to a string cannot fail.
        let _ = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}
