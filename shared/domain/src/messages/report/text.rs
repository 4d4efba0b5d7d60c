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

/// `topic_names_execution`: a text that echoes a request without an execution of ours counts only where its topic names
/// one.
pub(super) fn decode(thing: &ThingName, text: &str, topic_names_execution: bool) -> Result<ReportContent, ReportError> {
    let end = text.find(|c: char| !(c.is_ascii_alphabetic() || c == '_')).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let reported = ReportedStatus::parse(word, 0).ok_or_else(|| {
        ReportError::UnknownStatus(printable_prefix(text, MAX_QUOTED_STATUS_BYTES).unwrap_or_default())
    })?;
    let (execution, attempt) = match find_execution(thing, rest) {
        Found::Execution(id, attempt) => (Some(id), attempt),
        Found::ForeignRequest if !topic_names_execution => return Err(ReportError::ForeignRequest),
        Found::ForeignRequest | Found::Nothing => (None, None),
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
    Ok(ReportContent { execution, attempt, reported, code: None, description, result: None, is_relayed: false })
}

/// What a text says of the request that it answers.
enum Found {
    /// Its execution, and its attempt if the request is echoed.
    Execution(ExecutionId, Option<u64>),
    /// The request is echoed, and names no execution: another application has sent it.
    ForeignRequest,
    Nothing,
}

/// The execution and the attempt that a text is about: from the request echoed in it, else from an execution id that
/// stands alone in it.
fn find_execution(thing: &ThingName, text: &str) -> Found {
    let unquoted = python_bytes::find_literal(text);
    let request = [unquoted.as_deref(), Some(text)].into_iter().flatten().find_map(|text| {
        let json = text.get(text.find('{')?..)?;
        let echoed = EchoedRequest::deserialize(&mut serde_json::Deserializer::from_str(json)).ok()?;
        let id = match (echoed.execution_id, echoed.command_id) {
            (Some(id), _) => ExecutionId::parse(&id).ok()?,
            // The request of a broadcast names its command.
            (None, command) => ExecutionId::of(&CommandId::parse(&command?).ok()?, thing),
        };
        Some((id, echoed.attempt))
    });
    match (request, ExecutionId::find(text)) {
        (Some((id, attempt)), _) => Found::Execution(id, attempt),
        (None, Some(id)) => Found::Execution(id, None),
        (None, None) if python_bytes::echoes_request(text) => Found::ForeignRequest,
        (None, None) => Found::Nothing,
    }
}
