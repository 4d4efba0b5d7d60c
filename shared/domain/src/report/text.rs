//! Reports in plain text: a status word, then anything, with the execution's id somewhere in it.

use serde::Deserialize;

use super::{Report, ReportError, Reported, Said, echo, reported, shown};
use crate::{CommandId, ExecutionId, ThingName};

/// What of an echoed request tells which one it was.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Echoed {
    execution_id: Option<String>,
    command_id: Option<String>,
    attempt: Option<u64>,
}

pub(super) fn decode(thing: &ThingName, text: &str) -> Result<Said, ReportError> {
    let end = text.find(|c: char| !(c.is_ascii_alphabetic() || c == '_')).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let reported = reported(word, 0).ok_or_else(|| ReportError::UnknownStatus(shown(text, 64).unwrap_or_default()))?;
    let (execution, attempt) = correlate(thing, rest);
    // Of a failure the words are the only reason there is; what they echo is the request, which is known.
    let description = match reported {
        Reported::Succeeded | Reported::InProgress { .. } => None,
        _ => shown(rest.split("payload: b").next().unwrap_or(rest).trim_start_matches([':', ' ']), Report::DESCRIPTION),
    };
    Ok(Said { execution, attempt, reported, code: None, description, result: None })
}

/// Which execution a text is about: the request echoed in it says so, or an id that stands alone in it.
fn correlate(thing: &ThingName, text: &str) -> (Option<ExecutionId>, Option<u64>) {
    let unquoted = echo::bytes_literal(text);
    let request = [unquoted.as_deref(), Some(text)].into_iter().flatten().find_map(|text| {
        let echoed = Echoed::deserialize(&mut serde_json::Deserializer::from_str(text.get(text.find('{')?..)?)).ok()?;
        let id = match (echoed.execution_id, echoed.command_id) {
            (Some(id), _) => ExecutionId::parse(&id).ok()?,
            // A request to a whole fleet names its command.
            (None, command) => ExecutionId::of(&CommandId::parse(&command?).ok()?, thing),
        };
        Some((id, echoed.attempt))
    });
    match request {
        Some((id, attempt)) => (Some(id), attempt),
        None => (ExecutionId::find(text), None),
    }
}
