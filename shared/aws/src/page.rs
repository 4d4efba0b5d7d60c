//! A page of executions, readable or not.

use domain::Execution;

use crate::{
    error::Error,
    item::{Item, execution_from_item, shown_key},
};

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

impl Page {
    pub(crate) fn add(&mut self, operation: &'static str, items: &[Item]) {
        for item in items {
            match execution_from_item(item) {
                Ok(execution) => self.executions.push(execution),
                Err(error) => self.unreadable.push(Error::unreadable(operation, shown_key(item), error)),
            }
        }
    }
}
