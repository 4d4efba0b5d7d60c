//! The keys of commands and executions.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{CommandId, ExecutionId, Key, ThingName};

use super::attributes::{Item, Reader, Unreadable, after_prefix, text};

/// The partition key of a thing's items.
pub(crate) fn thing_key(thing: &ThingName) -> AttributeValue {
    text(format!("T#{thing}"))
}

pub(crate) fn execution_key(key: &Key) -> Item {
    Item::from([("pk".into(), thing_key(&key.thing)), ("sk".into(), text(format!("E#{}", key.id)))])
}

/// The key of an execution, from its item or from an entry of an index.
pub(crate) fn key_from_item(item: &Item) -> Result<Key, Unreadable> {
    let read = Reader(item);
    let thing = after_prefix("pk", "T#", read.text("pk")?)?;
    let id = after_prefix("sk", "E#", read.text("sk")?)?;
    Ok(Key {
        thing: ThingName::parse(thing).map_err(|error| Unreadable::because("pk", error))?,
        id: ExecutionId::parse(id).map_err(|error| Unreadable::because("sk", error))?,
    })
}

pub(crate) fn command_key(id: &CommandId) -> Item {
    Item::from([("pk".into(), text(format!("C#{id}"))), ("sk".into(), text("META"))])
}

/// The command of an item, or of an entry of an index. Batches have keys of another kind.
pub(crate) fn command_of_key(item: &Item) -> Result<CommandId, Unreadable> {
    let id = after_prefix("pk", "C#", Reader(item).text("pk")?)?;
    CommandId::parse(id).map_err(|error| Unreadable::because("pk", error))
}

/// The time of an entry of a due index, in seconds since 1970.
pub(crate) fn due_at_of_key(item: &Item) -> i64 {
    // The index sorts by it, so every entry has it.
    Reader(item).number("due_at").ok().flatten().unwrap_or_default()
}

/// The key of an item for an error, also if it can't be read.
pub(crate) fn shown_key(item: &Item) -> String {
    let part = |attribute: &str| item.get(attribute).and_then(|value| value.as_s().ok()).map_or("?", String::as_str);
    format!("{} {}", part("pk"), part("sk"))
}
