//! What a record of the stream of executions says of the execution of a command for one thing.

use domain::Execution;
use serde_json::Value;

use crate::{
    error::Error,
    item::{Item, execution_from_item, shown_key},
    stream,
};

/// A write to the row of an execution whose command is for one thing.
#[derive(Debug)]
pub struct ExecutionChange {
    /// The row before; none if it was created.
    pub before: Option<Execution>,
    /// The row after.
    pub after: Execution,
}

impl ExecutionChange {
    /// The change between two images in DynamoDB's JSON, as the stream has them; none if the item is not the execution
    /// of a command for one thing, or was deleted.
    ///
    /// # Errors
    /// An image that can't be read.
    pub fn of(old_image: Option<&Value>, new_image: Option<&Value>) -> Result<Option<Self>, Error> {
        let Some(after) = new_image.and_then(stream::item).filter(is_for_one_thing) else { return Ok(None) };
        let before = old_image.and_then(stream::item);
        Ok(Some(Self { before: before.as_ref().map(read).transpose()?, after: read(&after)? }))
    }
}

/// Whether the item is an execution without a batch: only those of fleet commands have one.
fn is_for_one_thing(item: &Item) -> bool {
    let is_execution = item.get("sk").and_then(|sk| sk.as_s().ok()).is_some_and(|sk| sk.starts_with("E#"));
    is_execution && !item.contains_key("batch")
}

fn read(item: &Item) -> Result<Execution, Error> {
    execution_from_item(item).map_err(|error| Error::unreadable("reading a changed execution", shown_key(item), error))
}
