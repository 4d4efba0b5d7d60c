//! The items of an execution: `T#<thing>`, `E#<execution id>`; and of a thing in a further batch: `T#<thing>`,
//! `D#<command id>#<batch>`.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{BatchNumber, CommandId, DueShards, Execution, ExecutionId, Key, Timestamp};

use super::attributes::{Item, Reader, Unreadable, millis, number, put_flag, text};
use super::key::{execution_key, thing_key};

/// The attributes that put an execution into the due index. `due_at` is in seconds since 1970.
pub(crate) fn due_entry(id: &ExecutionId, due_at: i64, shards: DueShards) -> [(&'static str, AttributeValue); 2] {
    [("due_shard", text(shards.shard_of(id).to_string())), ("due_at", number(due_at))]
}

/// The item of a new execution. Its other attributes are set by updates.
pub(crate) fn execution_to_item(execution: &Execution, shards: DueShards) -> Item {
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
    put("channel", text(execution.channel.to_string()));
    put("created_by", text(execution.created_by.as_str()));
    if let Some(creator) = &execution.creator {
        put("creator", text(creator.as_str()));
    }
    if let Some(batch) = execution.batch {
        put("batch", number(batch));
    }
    if let Some(heartbeat) = execution.heartbeat_seconds {
        put("heartbeat_seconds", number(heartbeat));
        // A report that is written without a read adds this to its time, which gives the heartbeat deadline.
        put("silence_millis", number(i64::from(execution.silence_seconds()) * 1000));
    }
    if let Some(next_send_at) = execution.next_send_at {
        put("next_send_at", millis(next_send_at));
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
    for (attribute, value) in execution.due_at.iter().flat_map(|&at| due_entry(&execution.key.id, at, shards)) {
        put(attribute, value);
    }
    put_flag(&mut item, "in_lane", execution.in_lane);
    put_flag(&mut item, "shadow_cleanup_pending", execution.shadow_cleanup_pending);
    put_flag(&mut item, "maybe_delivered", execution.maybe_delivered);
    item
}

/// The item that says that a thing is in this batch of a command too.
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
