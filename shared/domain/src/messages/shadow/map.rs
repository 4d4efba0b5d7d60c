//! Flaghoist's own dialect: each command is `desired.c.<execution id>`, and the device reports on its response topic or
//! in `reported.c.<execution id>`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::command::row::Command;
use crate::execution::key::Key;
use crate::execution::progress::Attempt;
use crate::execution::row::Execution;
use crate::messages::shadow::check;
use crate::messages::shadow::document::{self, Document};
use crate::messages::shadow::error::ShadowError;
use crate::messages::shadow::update::{ShadowUpdate, State};
use crate::names::ShadowName;

/// `desired`, `c` and the command stand above the payload.
const OWN_LEVELS: usize = 3;

/// One member of `c` in a section; `None` removes it.
#[derive(Serialize)]
struct Commands<'a> {
    c: BTreeMap<&'a str, Option<MapCommand<'a>>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MapCommand<'a> {
    attempt: Attempt,
    command: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a RawValue>,
    ttl: u32,
    expires_at: i64,
    // Seconds since 1970, as the expiry.
    issued_at: i64,
    // The same in milliseconds: of two requests to a thing, the one with the greater number was issued later.
    sequence: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    heartbeat: Option<u32>,
}

impl<'a> Commands<'a> {
    fn one(key: &'a Key, command: Option<MapCommand<'a>>) -> Self {
        Self { c: BTreeMap::from([(key.id.as_str(), command)]) }
    }
}

pub(super) fn delivery_update(
    shadow: &ShadowName,
    command: &Command,
    execution: &Execution,
) -> Result<ShadowUpdate, ShadowError> {
    let key = &execution.key;
    let payload = command.definition.payload.as_ref().map(|payload| payload.as_json());
    let payload = payload.filter(|payload| payload.get() != "null");
    if let Some(payload) = payload {
        check::parse_payload(payload, OWN_LEVELS)?;
    }
    let command = MapCommand {
        attempt: execution.attempt,
        command: command.definition.name.as_str(),
        payload,
        ttl: execution.start_seconds(),
        expires_at: execution.start_by.as_seconds(),
        issued_at: execution.created_at.as_seconds(),
        sequence: execution.created_at.as_millis(),
        heartbeat: execution.heartbeat_seconds,
    };
    let desired = Commands::one(key, Some(command));
    let value = serde_json::to_value(&desired).map_err(ShadowError::Update)?;
    check::check_size(check::size(&value))?;
    // AWS IoT merges what a device reports: an earlier attempt's members must not remain beside a later attempt's.
    let reported = (execution.attempt > 1).then(|| Commands::one(key, None));
    ShadowUpdate::delivering(key, Some(shadow), State { desired: Some(desired), reported })
}

/// Only this execution uses its member of `c`, so other changes of the shadow do not matter. Only that of a device which
/// reports meanwhile does, where `reported` is left out: the update names the version then.
///
/// `reported` is left out where it holds nothing of the execution: a null makes AWS IoT create an empty `c` there, and a
/// shadow with reports invokes a function with each change.
pub(super) fn removal_update(
    shadow: &ShadowName,
    key: &Key,
    document: Option<&[u8]>,
) -> Result<Option<ShadowUpdate>, ShadowError> {
    let one = || Some(Commands::one(key, None));
    // What can't be read may hold anything.
    let Some(document) = document.and_then(|document| Document::parse(document).ok()) else {
        return ShadowUpdate::removing(key, Some(shadow), State { desired: one(), reported: one() }, None).map(Some);
    };
    let is_in = |section: Option<&RawValue>| {
        section
            .and_then(|section| document::member(section, "c"))
            .is_some_and(|c| document::member(c, key.id.as_str()).is_some())
    };
    let sections = document.sections();
    let (state, version) = match (is_in(sections.desired), is_in(sections.reported)) {
        (false, false) => return Ok(None),
        (true, false) => (State { desired: one(), reported: None }, Some(document.version)),
        (_, true) => (State { desired: one(), reported: one() }, None),
    };
    ShadowUpdate::removing(key, Some(shadow), state, version).map(Some)
}

#[cfg(test)]
mod tests;
