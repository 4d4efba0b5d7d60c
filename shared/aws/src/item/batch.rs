//! A batch's items: `C#<command id>#<number>`, with `BATCH` for how far it has come and `THINGS` for whom it is about.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Batch, BatchClaim, BatchNumber, CommandId, FLEET_SHARDS, ThingName};

use super::{Item, Reader, Unreadable, after_prefix, millis, needed, number, text};

/// The key of a batch.
pub(crate) fn batch_key(command: &CommandId, batch: BatchNumber) -> Item {
    Item::from([("pk".into(), text(format!("C#{command}#{batch}"))), ("sk".into(), text("BATCH"))])
}

/// The key of its things.
pub(crate) fn things_key(command: &CommandId, batch: BatchNumber) -> Item {
    Item::from([("pk".into(), text(format!("C#{command}#{batch}"))), ("sk".into(), text("THINGS"))])
}

pub(crate) fn batch_to_item(batch: &Batch) -> Item {
    let mut item = batch_key(&batch.command, batch.number);
    let mut put = |attribute: &str, value| item.insert(attribute.to_owned(), value);
    put("revision", number(batch.revision));
    put("things", number(batch.things));
    put("allowed", number(batch.allowed));
    put("done", number(batch.done));
    put("purge_at", number(batch.purge_at.as_seconds()));
    if !batch.left.is_empty() {
        let left: Vec<String> = batch.left.iter().map(ToString::to_string).collect();
        put("left", text(left.join(" ")));
    }
    if batch.ready {
        put("ready", AttributeValue::Bool(true));
    }
    if let Some(claim) = &batch.claim {
        put("claim", text(&claim.token));
        put("claimed_until", millis(claim.until));
    }
    if let Some(at) = batch.watch_at {
        put("watch_at", millis(at));
    }
    if batch.called_off > 0 {
        put("called_off", number(batch.called_off));
    }
    if let Some(due_at) = batch.due_at {
        put("due_shard", text((batch.number % BatchNumber::from(FLEET_SHARDS)).to_string()));
        put("due_at", number(due_at));
    }
    item
}

/// Which batch an item is of, or an entry of an index.
pub(crate) fn batch_of_key(item: &Item) -> Result<(CommandId, BatchNumber), Unreadable> {
    let unreadable =
        |source: Box<dyn std::error::Error + Send + Sync>| Unreadable { attribute: "pk", source: Some(source) };
    let key = after_prefix("pk", "C#", Reader(item).text("pk")?)?;
    let (command, batch) = needed("pk", key.split_once('#'))?;
    let command = CommandId::parse(command).map_err(|error| unreadable(error.into()))?;
    Ok((command, batch.parse().map_err(|error: std::num::ParseIntError| unreadable(error.into()))?))
}

pub(crate) fn batch_from_item(item: &Item) -> Result<Batch, Unreadable> {
    let read = Reader(item);
    let (command, number) = batch_of_key(item)?;
    let count = |attribute| -> Result<u16, Unreadable> { needed(attribute, read.number(attribute)?) };
    let left = read.text("left")?.unwrap_or_default().split_whitespace().map(str::parse).collect::<Result<_, _>>();
    let claim = match read.millis("claimed_until")? {
        None => None,
        Some(until) => Some(BatchClaim { token: needed("claim", read.text("claim")?)?.to_owned(), until }),
    };
    Ok(Batch {
        command,
        number,
        revision: needed("revision", read.number("revision")?)?,
        things: count("things")?,
        allowed: count("allowed")?,
        done: count("done")?,
        left: left
            .map_err(|error: std::num::ParseIntError| Unreadable { attribute: "left", source: Some(error.into()) })?,
        ready: item.contains_key("ready"),
        claim,
        watch_at: read.millis("watch_at")?,
        called_off: read.number("called_off")?.unwrap_or(0),
        due_at: read.number("due_at")?,
        purge_at: domain::Timestamp::from_seconds(needed("purge_at", read.number("purge_at")?)?),
    })
}

/// Names in one attribute: no name has a blank in it.
pub(crate) fn names_to_text(things: &[ThingName]) -> AttributeValue {
    let names: Vec<&str> = things.iter().map(ThingName::as_str).collect();
    text(names.join(" "))
}

/// The names in an attribute.
pub(crate) fn names_from_item(item: &Item) -> Result<Vec<ThingName>, Unreadable> {
    let names = needed("names", Reader(item).text("names")?)?;
    let parse =
        |name| ThingName::parse(name).map_err(|error| Unreadable { attribute: "names", source: Some(error.into()) });
    names.split_whitespace().map(parse).collect()
}
