//! An execution's item: `T#<thing>`, `E#<execution id>`.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{
    CommandId, CommandName, DeliveryStatus, Execution, ExecutionId, Key, Outcome, Progress, Reason, ReasonCode,
    ReportResult, Status, ThingName, Timestamp, Verdict, due_shard,
};

use super::{Item, Reader, Unreadable, after_prefix, millis, needed, number, text};

pub(crate) fn thing_key(thing: &ThingName) -> AttributeValue {
    text(format!("T#{thing}"))
}

pub(crate) fn execution_key(key: &Key) -> Item {
    Item::from([("pk".into(), thing_key(&key.thing)), ("sk".into(), text(format!("E#{}", key.id)))])
}

/// What puts an item into the sparse index of what is due.
pub(crate) fn due_entry(id: &ExecutionId, due_at: i64) -> [(&'static str, AttributeValue); 2] {
    [("due_shard", text(due_shard(id).to_string())), ("due_at", number(due_at))]
}

/// A new execution. What only happens later is written by updates, and by no one else.
pub(crate) fn execution_to_item(execution: &Execution) -> Item {
    let mut item = execution_key(&execution.key);
    let mut put = |attribute: &str, value| item.insert(attribute.to_owned(), value);
    put("command_id", text(execution.command.as_str()));
    put("name", text(execution.name.as_str()));
    put("progress", number(execution.progress.get()));
    put("status", text(execution.status.as_str()));
    put("delivery_status", text(execution.delivery_status.as_str()));
    put("attempt", number(execution.attempt));
    put("created_at", millis(execution.created_at));
    put("start_by", millis(execution.start_by));
    put("finish_by", millis(execution.finish_by));
    put("purge_at", number(execution.purge_at.as_seconds()));
    if let Some(heartbeat) = execution.heartbeat {
        put("heartbeat", number(heartbeat));
    }
    for (attribute, value) in execution.due_at.iter().flat_map(|&at| due_entry(&execution.key.id, at)) {
        put(attribute, value);
    }
    item
}

/// The key of an item, or of an entry of an index.
pub(crate) fn key_from_item(item: &Item) -> Result<Key, Unreadable> {
    let read = Reader(item);
    let thing = after_prefix("pk", "T#", read.text("pk")?)?;
    let id = after_prefix("sk", "E#", read.text("sk")?)?;
    Ok(Key {
        thing: ThingName::parse(thing).map_err(|error| Unreadable { attribute: "pk", source: Some(error.into()) })?,
        id: ExecutionId::parse(id).map_err(|error| Unreadable { attribute: "sk", source: Some(error.into()) })?,
    })
}

pub(crate) fn execution_from_item(item: &Item) -> Result<Execution, Unreadable> {
    let read = Reader(item);
    let verdict = match read.millis("verdict_at")? {
        None => None,
        Some(at) => Some(Verdict { reason: read.parsed("verdict", Reason::parse)?, at }),
    };
    let outcome = match read.millis("finished_at")? {
        None => None,
        Some(at) => Some(Outcome {
            code: read.text("reason")?.and_then(ReasonCode::clean),
            description: read.text("description")?.map(str::to_owned),
            result: read
                .text("result")?
                .map(|text| ReportResult { text: text.to_owned(), cut: item.contains_key("result_cut") }),
            at,
        }),
    };
    let instant = |attribute| needed::<Timestamp>(attribute, read.millis(attribute)?);
    Ok(Execution {
        key: key_from_item(item)?,
        command: read.parsed("command_id", CommandId::parse)?,
        name: read.parsed("name", CommandName::parse)?,
        progress: Progress::from_stored(needed("progress", read.number("progress")?)?),
        status: read.parsed("status", Status::parse)?,
        delivery_status: read.parsed("delivery_status", DeliveryStatus::parse)?,
        attempt: needed("attempt", read.number("attempt")?)?,
        created_at: instant("created_at")?,
        start_by: instant("start_by")?,
        finish_by: instant("finish_by")?,
        heartbeat: read.number("heartbeat")?,
        delivered_at: read.millis("delivered_at")?,
        started_at: read.millis("started_at")?,
        heard_at: read.millis("heard_at")?,
        verdict,
        outcome,
        due_at: read.number("due_at")?,
        purge_at: Timestamp::from_seconds(needed("purge_at", read.number("purge_at")?)?),
    })
}
