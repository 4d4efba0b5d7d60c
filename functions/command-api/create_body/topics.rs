//! `Topics`: those that a caller may choose.

use domain::{RequestTopics, fleet::SharedTopic};

/// The topics that the stack allows a caller to choose.
#[derive(Clone, Copy, Debug)]
pub struct Topics<'a> {
    /// For a broadcast, besides those of thing groups.
    pub shared: Option<&'a SharedTopic>,
    /// For requests to one thing each, besides each thing's own.
    pub request: &'a RequestTopics,
}
