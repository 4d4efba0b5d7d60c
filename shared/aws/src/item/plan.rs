//! A plan's item: `C#<command id>`, `PLAN`; and the pages of names that a command lists: `C#<command id>`, `<kind>#<digest>#<page>`.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{
    CommandId, Cursor, Ends, FLEET_SHARDS, Pace, Plan, Timestamp, Walk,
    fleet::{Release, Resumed},
};

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
    if plan.cursor.again > 0 {
        put("again", number(plan.cursor.again));
    }
    for (attribute, _) in [("complete", plan.complete), ("closed", plan.closed), ("broadcast", plan.broadcast)]
        .iter()
        .filter(|(_, so)| *so)
    {
        put(attribute, AttributeValue::Bool(true));
    }
    if !plan.notes.is_empty() {
        put("notes", AttributeValue::L(plan.notes.iter().map(text).collect()));
    }
    if plan.walk != Walk::default() {
        put("walk_generation", number(plan.walk.generation));
        put("walk_next", number(plan.walk.next));
    }
    if plan.pace != Pace::default() || plan.release != Release::default() {
        put("released", number(plan.pace.released));
        put("release_batch", number(plan.release.batch));
        put("release_before", number(plan.release.before));
    }
    if let Some(at) = plan.pace.at {
        put("paced_at", millis(at));
    }
    if plan.resumed != Resumed::default() {
        put("resumed", text(resumed_to_text(&plan.resumed)));
    }
    if let Some(at) = plan.broadcast_at {
        put("broadcast_at", millis(at));
    }
    if let Some(due_at) = plan.due_at {
        // An id is random in its last character, or is a hash.
        let shard = plan.command.as_str().bytes().next_back().unwrap_or(0) % FLEET_SHARDS;
        put("due_shard", text(shard.to_string()));
        put("due_at", number(due_at));
    }
    item
}

/// Numbers in their order.
fn resumed_to_text(resumed: &Resumed) -> String {
    let Resumed { released, ends } = resumed;
    let Ends { executed, succeeded, failed, rejected, timed_out, canceled, no_response } = ends;
    format!("{released} {executed} {succeeded} {failed} {rejected} {timed_out} {canceled} {no_response}")
}

fn resumed_from_text(text: &str) -> Option<Resumed> {
    let mut numbers = text.split(' ').map(|number| number.parse::<u64>().ok());
    let mut next = || numbers.next().flatten();
    Some(Resumed {
        released: next()?,
        ends: Ends {
            executed: next()?,
            succeeded: next()?,
            failed: next()?,
            rejected: next()?,
            timed_out: next()?,
            canceled: next()?,
            no_response: next()?,
        },
    })
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
            again: read.number("again")?.unwrap_or(0),
        },
        complete: item.contains_key("complete"),
        batches: needed("batches", read.number("batches")?)?,
        things: needed("things", read.number("things")?)?,
        notes,
        walk: Walk {
            generation: read.number("walk_generation")?.unwrap_or(0),
            next: read.number("walk_next")?.unwrap_or(0),
        },
        pace: Pace { released: read.number("released")?.unwrap_or(0), at: read.millis("paced_at")? },
        release: Release {
            batch: read.number("release_batch")?.unwrap_or(0),
            before: read.number("release_before")?.unwrap_or(0),
        },
        closed: item.contains_key("closed"),
        resumed: match read.text("resumed")? {
            None => Resumed::default(),
            Some(text) => needed("resumed", resumed_from_text(text))?,
        },
        broadcast_at: read.millis("broadcast_at")?,
        broadcast: item.contains_key("broadcast"),
        due_at: read.number("due_at")?,
        purge_at: Timestamp::from_seconds(needed("purge_at", read.number("purge_at")?)?),
    })
}
