//! The items of a batch: `C#<command id>#<batch>`, `BATCH` for its progress, and `THINGS` for the names of its things.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Batch, BatchClaim, BatchNumber, CommandId, FLEET_SHARDS, ThingName};

use super::attributes::{Item, Reader, Unreadable, after_prefix, millis, needed, number, put_flag, text};

pub(crate) fn batch_key(command: &CommandId, batch: BatchNumber) -> Item {
    Item::from([("pk".into(), text(format!("C#{command}#{batch}"))), ("sk".into(), text("BATCH"))])
}

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
    if !batch.retry_places.is_empty() {
        let places: Vec<String> = batch.retry_places.iter().map(ToString::to_string).collect();
        put("retry_places", text(places.join(" ")));
    }
    if let Some(claim) = &batch.claim {
        put("claim", text(&claim.token));
        put("claimed_until", millis(claim.until));
    }
    if let Some(at) = batch.monitor_at {
        put("monitor_at", millis(at));
    }
    if batch.canceled_generation > 0 {
        put("canceled_generation", number(batch.canceled_generation));
    }
    if let Some(due_at) = batch.due_at {
        put("due_shard", text((batch.number % BatchNumber::from(FLEET_SHARDS)).to_string()));
        put("due_at", number(due_at));
    }
    put_flag(&mut item, "ready", batch.ready);
    item
}

/// The command and the number of a batch, from its item or from an entry of an index.
pub(crate) fn batch_of_key(item: &Item) -> Result<(CommandId, BatchNumber), Unreadable> {
    let key = after_prefix("pk", "C#", Reader(item).text("pk")?)?;
    let (command, batch) = needed("pk", key.split_once('#'))?;
    let command = CommandId::parse(command).map_err(|error| Unreadable::because("pk", error))?;
    Ok((command, batch.parse().map_err(|error: std::num::ParseIntError| Unreadable::because("pk", error))?))
}

pub(crate) fn batch_from_item(item: &Item) -> Result<Batch, Unreadable> {
    let read = Reader(item);
    let (command, number) = batch_of_key(item)?;
    let count = |attribute| -> Result<u16, Unreadable> { needed(attribute, read.number(attribute)?) };
    let places = read.text("retry_places")?.unwrap_or_default().split_whitespace();
    let place =
        |text: &str| text.parse().map_err(|error: std::num::ParseIntError| Unreadable::because("retry_places", error));
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
        retry_places: places.map(place).collect::<Result<_, _>>()?,
        ready: read.flag("ready"),
        claim,
        monitor_at: read.millis("monitor_at")?,
        canceled_generation: read.number("canceled_generation")?.unwrap_or(0),
        due_at: read.number("due_at")?,
        purge_at: read.purge_at()?,
    })
}

/// Names in one attribute, with blanks between them: no thing name contains one.
pub(crate) fn names_to_text(things: &[ThingName]) -> AttributeValue {
    let names: Vec<&str> = things.iter().map(ThingName::as_str).collect();
    text(names.join(" "))
}

/// The names in the attribute `names`.
pub(crate) fn names_from_item(item: &Item) -> Result<Vec<ThingName>, Unreadable> {
    let names = needed("names", Reader(item).text("names")?)?;
    let name = |text| ThingName::parse(text).map_err(|error| Unreadable::because("names", error));
    names.split_whitespace().map(name).collect()
}
