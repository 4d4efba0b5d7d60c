//! Decodes reports in plain text: a status word, then any text, which may contain the execution's id.

use serde::Deserialize;

use crate::ids::{CommandId, ExecutionId};
use crate::messages::report::content::{MAX_DESCRIPTION_BYTES, MAX_QUOTED_STATUS_BYTES, ReportContent};
use crate::messages::report::error::ReportError;
use crate::messages::report::printable::printable_prefix;
use crate::messages::report::python_bytes;
use crate::messages::report::reported_status::ReportedStatus;
use crate::names::ThingName;

/// The members of an echoed request that identify its execution.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EchoedRequest {
    execution_id: Option<String>,
    command_id: Option<String>,
    attempt: Option<u64>,
}

pub(super) fn decode(thing: &ThingName, text: &str) -> Result<ReportContent, ReportError> {
    let end = text.find(|c: char| !(c.is_ascii_alphabetic() || c == '_')).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let reported = ReportedStatus::parse(word, 0).ok_or_else(|| {
        ReportError::UnknownStatus(printable_prefix(text, MAX_QUOTED_STATUS_BYTES).unwrap_or_default())
    })?;
    let echo = python_bytes::echoed_request(rest);
    let (execution, attempt) = match find_request(thing, rest) {
        Some((id, attempt)) => (Some(id), attempt),
        None => (ExecutionId::find(rest), None),
    };
    // A failure's text is the only reason that the device gives. What follows `payload: b` is the echoed request, which
    // is known.
    let description = match reported {
        ReportedStatus::Succeeded | ReportedStatus::InProgress { .. } | ReportedStatus::Canceled => None,
        _ => {
            let reason = rest.split("payload: b").next().unwrap_or(rest).trim_start_matches([':', ' ']);
            printable_prefix(reason, MAX_DESCRIPTION_BYTES)
        }
    };
    Ok(ReportContent { execution, attempt, reported, code: None, description, result: None, is_relayed: false, echo })
}

/// The execution and the attempt of the request that a text echoes, where that is JSON that names them.
fn find_request(thing: &ThingName, text: &str) -> Option<(ExecutionId, Option<u64>)> {
    let unquoted = python_bytes::find_literal(text);
    [unquoted.as_deref(), Some(text)].into_iter().flatten().find_map(|text| {
        let json = text.get(text.find('{')?..)?;
        let echoed = EchoedRequest::deserialize(&mut serde_json::Deserializer::from_str(json)).ok()?;
        let id = match (echoed.execution_id, echoed.command_id) {
            (Some(id), _) => ExecutionId::parse(&id).ok()?,
            // The request of a broadcast names its command.
            (None, command) => ExecutionId::of(&CommandId::parse(&command?).ok()?, thing),
        };
        Some((id, echoed.attempt))
    })
}
