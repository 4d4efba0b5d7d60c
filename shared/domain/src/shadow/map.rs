//! Our own dialect: `desired.c.<execution id>`, answered on the topic or in `reported.c.<execution id>`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use super::{ShadowError, ShadowUpdate, limits, update::State};
use crate::{Attempt, Command, Execution, Key, ShadowName};

/// `desired`, `c` and the command around the payload.
const OWN_LEVELS: usize = 3;

/// One entry of a section's `c`, or that there shall be none.
#[derive(Serialize)]
struct Commands<'a> {
    c: BTreeMap<&'a str, Option<Entry<'a>>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    attempt: Attempt,
    command: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a RawValue>,
    ttl: u32,
    expires_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    heartbeat: Option<u32>,
}

impl<'a> Commands<'a> {
    fn one(key: &'a Key, entry: Option<Entry<'a>>) -> Self {
        Self { c: BTreeMap::from([(key.id.as_str(), entry)]) }
    }
}

pub(super) fn delivery(
    shadow: &ShadowName,
    command: &Command,
    execution: &Execution,
) -> Result<ShadowUpdate, ShadowError> {
    let key = &execution.key;
    let payload = command.definition.payload.as_ref().map(|payload| payload.as_json());
    let payload = payload.filter(|payload| payload.get() != "null");
    if let Some(payload) = payload {
        limits::check(payload, OWN_LEVELS)?;
    }
    let entry = Entry {
        attempt: execution.attempt,
        command: command.definition.name.as_str(),
        payload,
        ttl: command.definition.deadlines.ttl(),
        expires_at: execution.start_by.as_seconds(),
        heartbeat: execution.heartbeat,
    };
    let desired = Commands::one(key, Some(entry));
    let value = serde_json::to_value(&desired).map_err(ShadowError::Update)?;
    limits::check_size(limits::size(&value))?;
    // What a device reports is merged with what is there: nothing of an earlier attempt may mix into a later one's.
    let reported = (execution.attempt > 1).then(|| Commands::one(key, None));
    ShadowUpdate::delivering(key, Some(shadow), State { desired: Some(desired), reported })
}

/// Without a version: the entry is nobody else's, so whatever else has changed does not matter.
pub(super) fn withdrawal(shadow: &ShadowName, key: &Key) -> Result<ShadowUpdate, ShadowError> {
    let state = State { desired: Some(Commands::one(key, None)), reported: Some(Commands::one(key, None)) };
    ShadowUpdate::withdrawing(key, Some(shadow), state, None)
}

#[cfg(test)]
mod tests;
