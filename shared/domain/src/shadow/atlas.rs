//! The dialect of AWS's IoT Atlas: `desired.command` is an array of commands, which its devices echo in `reported.command`.
//!
//! Those devices run every entry they see, again whenever the delta comes again, and report only the last. So there is one entry, with
//! exactly the three members that they echo, and it goes as soon as it is over. The id is in the topic, where they answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{ShadowError, ShadowUpdate, document, document::Document, limits, update::State};
use crate::{Command, Execution, Key, Timestamp, Topic};

/// `desired`, `command`, its entry and the message around the payload.
const OWN_LEVELS: usize = 4;

#[derive(Serialize)]
struct Wanted<'a> {
    command: [BTreeMap<&'a str, Relay<'a>>; 1],
}

/// Exactly these: a device of this dialect disconnects when one is missing, and never clears the delta when there is another.
#[derive(Serialize)]
struct Relay<'a> {
    message: &'a RawValue,
    topic: &'a str,
    ttl: u32,
}

/// What replaces `command`; none removes it.
#[derive(Serialize)]
struct Left<'a> {
    command: Option<Vec<&'a RawValue>>,
}

pub(super) fn delivery(command: &Command, execution: &Execution, now: Timestamp) -> Result<ShadowUpdate, ShadowError> {
    let key = &execution.key;
    let payload = command.definition.payload.as_ref().map(|payload| payload.as_json());
    let payload = payload.filter(|payload| payload.get() != "null");
    if let Some(payload) = payload {
        limits::check(payload, OWN_LEVELS)?;
    }
    let nothing = RawValue::from_string("\"\"".to_owned()).map_err(ShadowError::Update)?;
    let topic = Topic::response_of(&key.thing, &key.id);
    let relay = Relay {
        message: payload.unwrap_or(&nothing),
        topic: topic.as_str(),
        // Its age is counted from when it is written.
        ttl: now.seconds_until(execution.start_by).max(1),
    };
    let wanted = Wanted { command: [BTreeMap::from([(command.definition.name.as_str(), relay)])] };
    let value = serde_json::to_value(&wanted).map_err(ShadowError::Update)?;
    // Devices report all of it.
    limits::check_size(2 * limits::size(&value))?;
    // What was reported would hide an identical command: no difference, no delta.
    let state = State { desired: Some(wanted), reported: Some(Left { command: None }) };
    ShadowUpdate::delivering(key, None, state)
}

pub(super) fn withdrawal(key: &Key, document: &[u8]) -> Result<Option<ShadowUpdate>, ShadowError> {
    let document = Document::parse(document)?;
    let topic = Topic::response_of(&key.thing, &key.id);
    let sections = document.sections();
    let state = State { desired: left(sections.desired, &topic), reported: left(sections.reported, &topic) };
    if state.desired.is_none() && state.reported.is_none() {
        return Ok(None);
    }
    ShadowUpdate::withdrawing(key, None, state, Some(document.version)).map(Some)
}

/// The section's commands without those that answer on this topic; none if there are no such.
fn left<'a>(section: Option<&'a RawValue>, topic: &Topic) -> Option<Left<'a>> {
    let entries = entries(section?);
    let ours = |entry: &RawValue| echoes(entry).iter().any(|echo| echo.topic == topic.as_str());
    let all = entries.len();
    let others: Vec<&RawValue> = entries.into_iter().filter(|entry| !ours(entry)).collect();
    (others.len() < all).then(|| Left { command: Some(others).filter(|others| !others.is_empty()) })
}

/// The entries of a section's `command`.
pub(super) fn entries(section: &RawValue) -> Vec<&RawValue> {
    let command = document::member(section, "command");
    command.and_then(|command| serde_json::from_str(command.get()).ok()).unwrap_or_default()
}

/// One of the commands in an entry.
#[derive(Deserialize)]
pub(super) struct Echo<'a> {
    #[serde(borrow)]
    pub(super) message: Option<&'a RawValue>,
    pub(super) topic: String,
}

/// The commands in an entry; those that have no topic are not ours.
pub(super) fn echoes(entry: &RawValue) -> Vec<Echo<'_>> {
    document::members(entry).into_values().filter_map(|echo| serde_json::from_str(echo.get()).ok()).collect()
}

#[cfg(test)]
mod tests;
