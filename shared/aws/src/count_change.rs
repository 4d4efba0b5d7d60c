//! What a record of the stream of executions changes in the counts of a fleet command.

use domain::{CommandId, Contribution, CountChange, SequenceNumber};
use serde_json::Value;

use crate::{
    error::Error,
    item::{command_of_duplicate, execution_from_item, shown_key},
    stream,
};

/// The change of the counts of a command; none if the item is not counted. The images are in DynamoDB's JSON, as the
/// stream has them.
///
/// # Errors
/// A sequence number or an image that can't be read.
pub fn count_change(
    sequence_number: &str,
    old_image: Option<&Value>,
    new_image: Option<&Value>,
) -> Result<Option<(CommandId, CountChange)>, Error> {
    const OPERATION: &str = "counting a change";
    let sequence =
        SequenceNumber::parse(sequence_number).map_err(|error| Error::unreadable(OPERATION, sequence_number, error))?;
    let (before, after) = (old_image.map(contribution).transpose()?, new_image.map(contribution).transpose()?);
    let command = before.iter().chain(&after).flatten().map(|(command, _)| command.clone()).next();
    let only = |found: Option<Option<(CommandId, Contribution)>>| found.flatten().map(|(_, contribution)| contribution);
    Ok(command.map(|command| (command, CountChange { sequence, before: only(before), after: only(after) })))
}

/// What an item adds to the counts of its command; none if it is not counted.
fn contribution(image: &Value) -> Result<Option<(CommandId, Contribution)>, Error> {
    const OPERATION: &str = "counting an item";
    let Some(item) = stream::item(image) else {
        return Err(Error::unreadable(OPERATION, "unknown key", "the image is not an item"));
    };
    let unreadable = |error| Error::unreadable(OPERATION, shown_key(&item), error);
    match item.get("sk").and_then(|sk| sk.as_s().ok()).map(String::as_str) {
        Some(sk) if sk.starts_with("D#") => {
            let command = command_of_duplicate(&item).map_err(unreadable)?;
            Ok(Some((command, Contribution::Duplicate)))
        }
        // Only executions of fleet commands have a batch.
        Some(sk) if sk.starts_with("E#") && item.contains_key("batch") => {
            let execution = execution_from_item(&item).map_err(unreadable)?;
            Ok(Some((execution.command.clone(), Contribution::of(&execution))))
        }
        _ => Ok(None),
    }
}
