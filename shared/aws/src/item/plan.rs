//! A plan's item: `C#<command id>`, `PLAN`; and the pages of names that a command lists: `C#<command id>`, `<kind>#<digest>#<page>`.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{CommandId, Cursor, Plan, SHARDS, Timestamp, Walk};

use super::{Item, Reader, Unreadable, after_prefix, millis, needed, number, text};

pub(crate) fn plan_key(command: &CommandId) -> Item {
    Item::from([("pk".into(), text(format!("C#{command}"))), ("sk".into(), text("PLAN"))])
}

pub(crate) fn page_key(command: &CommandId, kind: &str, digest: &str, page: u32) -> Item {
    Item::from([("pk".into(), text(format!("C#{command}"))), ("sk".into(), text(format!("{kind}#{digest}#{page}")))])
}

pub(crate) fn plan_to_item(plan: &Plan) -> Item {
    let mut item = plan_key(&plan.command);
    let mut put = |attribute: &str, value| item.insert(attribute.to_owned(), value);
    put("revision", number(plan.revision));
    put("source", number(plan.cursor.source));
    put("batches", number(plan.batches));
    put("things", number(plan.things));
    put("purge_at", number(plan.purge_at.as_seconds()));
    if let Some(token) = &plan.cursor.token {
        put("token", text(token));
    }
    for (attribute, _) in [("complete", plan.complete), ("broadcast", plan.broadcast)].iter().filter(|(_, so)| *so) {
        put(attribute, AttributeValue::Bool(true));
    }
    if !plan.notes.is_empty() {
        put("notes", AttributeValue::L(plan.notes.iter().map(text).collect()));
    }
    if plan.walk != Walk::default() {
        put("walk_generation", number(plan.walk.generation));
        put("walk_next", number(plan.walk.next));
    }
    if let Some(at) = plan.broadcast_at {
        put("broadcast_at", millis(at));
    }
    if let Some(due_at) = plan.due_at {
        // An id is random in its last character, or is a hash.
        let shard = plan.command.as_str().bytes().next_back().unwrap_or(0) % SHARDS;
        put("due_shard", text(shard.to_string()));
        put("due_at", number(due_at));
    }
    item
}

/// Whose plan an item is, or an entry of an index.
pub(crate) fn command_of_key(item: &Item) -> Result<CommandId, Unreadable> {
    let id = after_prefix("pk", "C#", Reader(item).text("pk")?)?;
    CommandId::parse(id).map_err(|error| Unreadable { attribute: "pk", source: Some(error.into()) })
}

pub(crate) fn plan_from_item(item: &Item) -> Result<Plan, Unreadable> {
    let read = Reader(item);
    let notes = match item.get("notes") {
        None => Vec::new(),
        Some(AttributeValue::L(notes)) => notes.iter().filter_map(|note| note.as_s().ok().cloned()).collect(),
        Some(_) => return Err(Unreadable { attribute: "notes", source: None }),
    };
    Ok(Plan {
        command: command_of_key(item)?,
        revision: needed("revision", read.number("revision")?)?,
        cursor: Cursor {
            source: needed("source", read.number("source")?)?,
            token: read.text("token")?.map(str::to_owned),
        },
        complete: item.contains_key("complete"),
        batches: needed("batches", read.number("batches")?)?,
        things: needed("things", read.number("things")?)?,
        notes,
        walk: Walk {
            generation: read.number("walk_generation")?.unwrap_or(0),
            next: read.number("walk_next")?.unwrap_or(0),
        },
        broadcast_at: read.millis("broadcast_at")?,
        broadcast: item.contains_key("broadcast"),
        due_at: read.number("due_at")?,
        purge_at: Timestamp::from_seconds(needed("purge_at", read.number("purge_at")?)?),
    })
}
