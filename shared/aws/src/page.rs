//! Reads the items of an answer into a page of executions.

use calls::Page;

use crate::{
    error::Error,
    item::{Item, execution_from_item, shown_key},
};

/// Adds the executions of these items, and an error for each that can't be read.
pub(crate) fn add_items(page: &mut Page, operation: &'static str, items: &[Item]) {
    for item in items {
        match execution_from_item(item) {
            Ok(execution) => page.executions.push(execution),
            Err(error) => page.unreadable.push(Error::unreadable(operation, shown_key(item), error)),
        }
    }
}
