//! An execution's item: `T#<thing>`, `E#<execution id>`.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{
    BatchNumber, By, CommandId, CommandName, DeliveryStatus, Execution, ExecutionId, Key, Lane, LaneName, OnFailure,
    Outcome, Progress, Reason, ReasonCode, ReportPath, ReportResult, Retry, Status, Step, ThingName, Timestamp,
    Verdict, Via, due_shard,
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
    put("via", text(execution.via.to_string()));
    put("created_by", text(execution.created_by.as_str()));
    if let Some(batch) = execution.batch {
        put("batch", number(batch));
    }
    if let Some(heartbeat) = execution.heartbeat {
        put("heartbeat", number(heartbeat));
        // What a report adds to its time, since it knows nothing of heartbeats.
        put("silence", number(i64::from(execution.silence()) * 1000));
    }
    if let Some(send_at) = execution.send_at {
        put("send_at", millis(send_at));
    }
    if let Some(sent_at) = execution.sent_at {
        put("sent_at", millis(sent_at));
    }
    if let Some(retry) = &execution.retry {
        put("retry", text(retry.to_stored()));
    }
    if let Some(lane) = &execution.lane {
        put("lane", text(lane.name.as_str()));
        put("on_failure", text(lane.on_failure.as_str()));
    }
    for (attribute, _) in
        [("in_lane", execution.in_lane), ("withdraw", execution.withdraw), ("unsure", execution.unsure)]
            .iter()
            .filter(|(_, so)| *so)
    {
        put(attribute, AttributeValue::Bool(true));
    }
    for (attribute, value) in execution.due_at.iter().flat_map(|&at| due_entry(&execution.key.id, at)) {
        put(attribute, value);
    }
    item
}

/// That a thing is in two batches of a command: `T#<thing>`, `D#<command id>#<batch>`.
pub(crate) fn duplicate_to_item(key: &Key, command: &CommandId, batch: BatchNumber, purge_at: Timestamp) -> Item {
    Item::from([
        ("pk".into(), thing_key(&key.thing)),
        ("sk".into(), text(format!("D#{command}#{batch}"))),
        ("command_id".into(), text(command.as_str())),
        ("batch".into(), number(batch)),
        ("purge_at".into(), number(purge_at.as_seconds())),
    ])
}

pub(crate) fn command_of_duplicate(item: &Item) -> Result<CommandId, Unreadable> {
    Reader(item).parsed("command_id", CommandId::parse)
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

/// The key of an item that can't be read, for people.
pub(crate) fn shown_key(item: &Item) -> String {
    let part = |attribute: &str| item.get(attribute).and_then(|value| value.as_s().ok()).map_or("?", String::as_str);
    format!("{} {}", part("pk"), part("sk"))
}

fn path(word: Option<&str>) -> ReportPath {
    word.map_or(ReportPath::Mqtt, ReportPath::from_stored)
}

fn steps(item: &Item) -> Result<Vec<Step>, Unreadable> {
    let Some(list) = item.get("steps") else { return Ok(Vec::new()) };
    let unreadable = || Unreadable { attribute: "steps", source: None };
    let steps = list.as_l().map_err(|_| unreadable())?;
    let step = |value: &AttributeValue| value.as_s().ok().and_then(|text| Step::from_stored(text));
    steps.iter().map(|value| step(value).ok_or_else(unreadable)).collect()
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
            attempt: match read.number("finished_attempt")? {
                Some(attempt) => attempt,
                None => needed("attempt", read.number("attempt")?)?,
            },
            code: read.text("reason")?.and_then(ReasonCode::clean),
            description: read.text("description")?.map(str::to_owned),
            result: read
                .text("result")?
                .map(|text| ReportResult { text: text.to_owned(), cut: item.contains_key("result_cut") }),
            at,
            path: path(read.text("finished_via")?),
        }),
    };
    let heartbeat: Option<u32> = read.number("heartbeat")?;
    let retry = read.text("retry")?.map(|text| needed("retry", Retry::from_stored(text))).transpose()?;
    let lane = match read.text("lane")? {
        None => None,
        Some(name) => Some(Lane {
            name: LaneName::from_stored(name),
            on_failure: needed("on_failure", read.text("on_failure")?.and_then(OnFailure::parse))?,
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
        via: read.parsed("via", Via::from_stored)?,
        created_at: instant("created_at")?,
        created_by: By::caller(needed("created_by", read.text("created_by")?)?),
        start_by: instant("start_by")?,
        finish_by: instant("finish_by")?,
        heartbeat,
        retry,
        lane,
        in_lane: item.contains_key("in_lane"),
        withdraw: item.contains_key("withdraw"),
        send_at: read.millis("send_at")?,
        claim: read.text("claim")?.map(str::to_owned),
        unsure: item.contains_key("unsure"),
        sent_at: read.millis("sent_at")?,
        delivered_at: read.millis("delivered_at")?,
        started_at: read.millis("started_at")?,
        heard_at: read.millis("heard_at")?,
        silent_at: read.millis("silent_at")?.filter(|_| heartbeat.is_some()),
        verdict,
        outcome,
        steps: steps(item)?,
        due_at: read.number("due_at")?,
        purge_at: Timestamp::from_seconds(needed("purge_at", read.number("purge_at")?)?),
        batch: read.number("batch")?,
    })
}
