//! A page of executions, readable or not.

use domain::{Execution, ExecutionId};

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
    /// The last execution of the page, if there are more after it.
    pub next: Option<ExecutionId>,
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
