//! The dialect of AWS's IoT Atlas: `desired.command` is an array of commands, which the device echoes in
//! `reported.command`.
//!
//! Devices of this dialect run every command of the array whenever the delta arrives, and report only the last one. So
//! the array holds one command, with exactly the three members that the device echoes, and it is removed as soon as its
//! execution has ended. The execution's id is in the topic that the device relays the message to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::command::row::Command;
use crate::execution::key::Key;
use crate::execution::row::Execution;
use crate::messages::report::device_report::Report;
use crate::messages::shadow::document::Document;
use crate::messages::shadow::error::ShadowError;
use crate::messages::shadow::route::ShadowRoute;
use crate::messages::shadow::update::{ShadowUpdate, State};
use crate::messages::shadow::{check, document};
use crate::timestamp::Timestamp;
use crate::topic::Topic;

/// `desired`, `command`, the command's name and its members stand above the payload.
const OWN_LEVELS: usize = 4;

#[derive(Serialize)]
struct NewCommand<'a> {
    command: [BTreeMap<&'a str, Members<'a>>; 1],
}

/// Exactly these members: without one of them the device disconnects, and with another one the delta never ends.
#[derive(Serialize)]
struct Members<'a> {
    message: &'a RawValue,
    topic: &'a str,
    ttl: u32,
}

/// The new value of `command` in a section; `None` removes it.
#[derive(Serialize)]
struct RemainingCommands<'a> {
    command: Option<Vec<&'a RawValue>>,
}

pub(super) fn delivery_update(
    command: &Command,
    execution: &Execution,
    now: Timestamp,
) -> Result<ShadowUpdate, ShadowError> {
    let key = &execution.key;
    let payload = command.definition.payload.as_ref().map(|payload| payload.as_json());
    let payload = payload.filter(|payload| payload.get() != "null");
    if let Some(payload) = payload {
        check::parse_payload(payload, OWN_LEVELS)?;
    }
    let empty = RawValue::from_string("\"\"".to_owned()).map_err(ShadowError::Update)?;
    let topic = Topic::response_of(&key.thing, &key.id);
    let members = Members {
        message: payload.unwrap_or(&empty),
        topic: topic.as_str(),
        // The device counts the ttl from the time of this write.
        ttl: now.seconds_until(execution.start_by).max(1),
    };
    let desired = NewCommand { command: [BTreeMap::from([(command.definition.name.as_str(), members)])] };
    let value = serde_json::to_value(&desired).map_err(ShadowError::Update)?;
    // The device reports the whole command.
    check::check_size(2 * check::size(&value))?;
    // The echo of an earlier, identical command would leave no difference, and so no delta.
    let state = State { desired: Some(desired), reported: Some(RemainingCommands { command: None }) };
    ShadowUpdate::delivering(key, None, state)
}

pub(super) fn removal_update(key: &Key, document: &[u8]) -> Result<Option<ShadowUpdate>, ShadowError> {
    let document = Document::parse(document)?;
    let topic = Topic::response_of(&key.thing, &key.id);
    let sections = document.sections();
    let state = State { desired: without(sections.desired, &topic), reported: without(sections.reported, &topic) };
    if state.desired.is_none() && state.reported.is_none() {
        return Ok(None);
    }
    ShadowUpdate::removing(key, None, state, Some(document.version)).map(Some)
}

/// A section's commands without those whose topic is `topic`; `None` if no command has it.
fn without<'a>(section: Option<&'a RawValue>, topic: &Topic) -> Option<RemainingCommands<'a>> {
    let entries = entries(section?);
    let has_topic = |entry: &RawValue| commands_of(entry).iter().any(|command| command.topic == topic.as_str());
    let all = entries.len();
    let rest: Vec<&RawValue> = entries.into_iter().filter(|entry| !has_topic(entry)).collect();
    (rest.len() < all).then(|| RemainingCommands { command: Some(rest).filter(|rest| !rest.is_empty()) })
}

impl Report {
    /// Whether this is the message of this execution, relayed by the device that found it in its shadow. Another
    /// application may write commands to the same shadow, so the message has to be the same.
    pub fn is_relay_of(&self, command: &Command, execution: &Execution) -> bool {
        let asked = command.definition.payload.as_ref().map_or("null", |payload| payload.as_json().get());
        let asked: Option<Value> = serde_json::from_str(asked).ok().map(|asked| match asked {
            Value::Null => Value::String(String::new()),
            asked => asked,
        });
        let relayed = self.result.as_ref().and_then(|relayed| serde_json::from_str(&relayed.text).ok());
        self.is_relayed
            && execution.channel.shadow() == Some(&ShadowRoute::Atlas)
            && asked.is_some()
            && asked == relayed
    }
}

/// The entries of the array `command` of a section.
pub(super) fn entries(section: &RawValue) -> Vec<&RawValue> {
    let command = document::member(section, "command");
    command.and_then(|command| serde_json::from_str(command.get()).ok()).unwrap_or_default()
}

#[derive(Deserialize)]
pub(super) struct AtlasCommand<'a> {
    #[serde(borrow)]
    pub(super) message: Option<&'a RawValue>,
    pub(super) topic: String,
}

/// The commands of an entry. A value without a topic is not a command of this dialect.
pub(super) fn commands_of(entry: &RawValue) -> Vec<AtlasCommand<'_>> {
    document::members(entry).into_values().filter_map(|command| serde_json::from_str(command.get()).ok()).collect()
}

#[cfg(test)]
mod tests;
