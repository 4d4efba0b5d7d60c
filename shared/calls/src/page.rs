//! A page of executions, readable or not.

use domain::Execution;

use crate::error::Error;

/// Some executions. A row that can't be read does not hide the others.
#[derive(Debug, Default)]
pub struct Page {
    /// The readable rows.
    pub executions: Vec<Execution>,
    /// An error for each row that can't be read.
    pub unreadable: Vec<Error>,
    /// Whether there are more executions after those of the page.
    pub has_more: bool,
}
