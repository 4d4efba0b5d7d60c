//! The item of a plan: `C#<command id>`, `PLAN`; and the keys of a command's pages of names: `C#<command id>`,
//! `<list>#<digest>#<page>`.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{
    CommandId, ControlPropagation, Cursor, FLEET_SHARDS, OutcomeCounts, Plan, RolloutProgress,
    fleet::{ReleasePosition, ResumePoint, StepWakes},
};

use super::attributes::{Item, Reader, Unreadable, millis, needed, number, put_flag, text};
use super::key::command_of_key;

pub(crate) fn plan_key(command: &CommandId) -> Item {
    Item::from([("pk".into(), text(format!("C#{command}"))), ("sk".into(), text("PLAN"))])
}

pub(crate) fn page_key(command: &CommandId, list: &str, digest: &str, page: u32) -> Item {
    Item::from([("pk".into(), text(format!("C#{command}"))), ("sk".into(), text(format!("{list}#{digest}#{page}")))])
}

pub(crate) fn plan_to_item(plan: &Plan) -> Item {
    let mut item = plan_key(&plan.command);
    let mut put = |attribute: &str, value| item.insert(attribute.to_owned(), value);
    put("revision", number(plan.revision));
    put("cursor_source", number(plan.cursor.source));
    put("batches", number(plan.batches));
    put("things", number(plan.things));
    put("purge_at", number(plan.purge_at.as_seconds()));
    if let Some(token) = &plan.cursor.token {
        put("cursor_token", text(token));
    }
    if plan.cursor.restarts > 0 {
        put("cursor_restarts", number(plan.cursor.restarts));
    }
    if !plan.notes.is_empty() {
        put("notes", AttributeValue::L(plan.notes.iter().map(text).collect()));
    }
    if plan.propagation != ControlPropagation::default() {
        put("propagation_generation", number(plan.propagation.generation));
        put("propagation_next", number(plan.propagation.next));
    }
    if plan.progress != RolloutProgress::default() || plan.release_position != ReleasePosition::default() {
        put("released", number(plan.progress.released));
        put("release_batch", number(plan.release_position.batch));
        put("release_before", number(plan.release_position.before));
    }
    if let Some(at) = plan.progress.rate_used_until {
        put("rate_used_until", millis(at));
    }
    if plan.released_before > 0 {
        put("released_before", number(plan.released_before));
    }
    if let Some(StepWakes { until, rate_changes }) = plan.step_wakes {
        put("step_wakes_until", millis(until));
        put("step_wakes_rate_changes", number(rate_changes));
    }
    if plan.resume_point != ResumePoint::default() {
        put("resume_point", text(resume_point_to_text(&plan.resume_point)));
    }
    if let Some(at) = plan.broadcast_at {
        put("broadcast_at", millis(at));
    }
    if let Some(due_at) = plan.due_at {
        // The last character of a command id is evenly distributed: ids are random or hashes.
        let shard = plan.command.as_str().bytes().next_back().unwrap_or(0) % FLEET_SHARDS;
        put("due_shard", text(shard.to_string()));
        put("due_at", number(due_at));
    }
    put_flag(&mut item, "complete", plan.complete);
    put_flag(&mut item, "closed", plan.closed);
    put_flag(&mut item, "broadcast_sent", plan.broadcast_sent);
    item
}

pub(crate) fn plan_from_item(item: &Item) -> Result<Plan, Unreadable> {
    let read = Reader(item);
    let notes = match item.get("notes") {
        None => Vec::new(),
        Some(AttributeValue::L(notes)) => notes.iter().filter_map(|note| note.as_s().ok().cloned()).collect(),
        Some(_) => return Err(Unreadable::new("notes")),
    };
    Ok(Plan {
        command: command_of_key(item)?,
        revision: needed("revision", read.number("revision")?)?,
        cursor: Cursor {
            source: needed("cursor_source", read.number("cursor_source")?)?,
            token: read.text("cursor_token")?.map(str::to_owned),
            restarts: read.number("cursor_restarts")?.unwrap_or(0),
        },
        complete: read.flag("complete"),
        batches: needed("batches", read.number("batches")?)?,
        things: needed("things", read.number("things")?)?,
        notes,
        propagation: ControlPropagation {
            generation: read.number("propagation_generation")?.unwrap_or(0),
            next: read.number("propagation_next")?.unwrap_or(0),
        },
        progress: RolloutProgress {
            released: read.number("released")?.unwrap_or(0),
            rate_used_until: read.millis("rate_used_until")?,
        },
        released_before: read.number("released_before")?.unwrap_or(0),
        step_wakes: match read.millis("step_wakes_until")? {
            None => None,
            Some(until) => {
                Some(StepWakes { until, rate_changes: read.number("step_wakes_rate_changes")?.unwrap_or(0) })
            }
        },
        release_position: ReleasePosition {
            batch: read.number("release_batch")?.unwrap_or(0),
            before: read.number("release_before")?.unwrap_or(0),
        },
        closed: read.flag("closed"),
        resume_point: match read.text("resume_point")? {
            None => ResumePoint::default(),
            Some(text) => needed("resume_point", resume_point_from_text(text))?,
        },
        broadcast_at: read.millis("broadcast_at")?,
        broadcast_sent: read.flag("broadcast_sent"),
        due_at: read.number("due_at")?,
        purge_at: read.purge_at()?,
    })
}

/// The counts, in the order of their fields, with blanks between them.
fn resume_point_to_text(resume_point: &ResumePoint) -> String {
    let ResumePoint { released, outcomes } = resume_point;
    let OutcomeCounts { executed, succeeded, failed, rejected, timed_out, canceled, no_response } = outcomes;
    format!("{released} {executed} {succeeded} {failed} {rejected} {timed_out} {canceled} {no_response}")
}

fn resume_point_from_text(text: &str) -> Option<ResumePoint> {
    let mut numbers = text.split(' ').map(|number| number.parse::<u64>().ok());
    let mut next = || numbers.next().flatten();
    Some(ResumePoint {
        released: next()?,
        outcomes: OutcomeCounts {
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
