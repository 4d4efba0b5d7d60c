//! The item of the executions of a thing whose raw requests have the same bytes.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{ExecutionId, RawRequests, RequestDigest, ThingName, Timestamp};

use super::attributes::{Item, Reader, Unreadable, millis, needed, number, text};
use super::key::thing_key;

pub(crate) fn raw_requests_key(thing: &ThingName, digest: &RequestDigest) -> Item {
    Item::from([("pk".into(), thing_key(thing)), ("sk".into(), text(format!("RAW#{}", digest.as_str())))])
}

pub(crate) fn raw_requests_to_item(
    thing: &ThingName,
    digest: &RequestDigest,
    requests: &RawRequests,
    purge_at: Timestamp,
) -> Item {
    let mut item = raw_requests_key(thing, digest);
    item.insert("executions".into(), raw_requests_value(requests));
    item.insert("purge_at".into(), number(purge_at.as_seconds()));
    if let Some(until) = requests.dropped_until {
        item.insert("dropped_until".into(), millis(until));
    }
    item
}

/// The executions as they are stored. No two lists that follow one another are the same, so a writer that finds the list
/// that it has read finds all of the item as it has read it.
pub(crate) fn raw_requests_value(requests: &RawRequests) -> AttributeValue {
    let entry = |(id, end): &(ExecutionId, Timestamp)| {
        AttributeValue::M(Item::from([("id".into(), text(id.as_str())), ("end".into(), millis(*end))]))
    };
    AttributeValue::L(requests.executions.iter().map(entry).collect())
}

pub(crate) fn raw_requests_from_item(item: &Item) -> Result<RawRequests, Unreadable> {
    let Some(AttributeValue::L(entries)) = item.get("executions") else { return Err(Unreadable::new("executions")) };
    let entry = |value: &AttributeValue| {
        let AttributeValue::M(value) = value else { return Err(Unreadable::new("executions")) };
        let read = Reader(value);
        Ok((read.parsed("id", ExecutionId::parse)?, needed("end", read.millis("end")?)?))
    };
    Ok(RawRequests {
        executions: entries.iter().map(entry).collect::<Result<_, _>>()?,
        dropped_until: Reader(item).millis("dropped_until")?,
    })
}
