//! Reports in JSON: AWS IoT Commands' body with an id in it, `{"cmd", "tid", "status"}`, and a relayed `{"msg", "deviceId"}`.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{ReasonCode, Report, ReportError, ReportResult, Said, reported, shown};
use crate::{CommandId, ExecutionId, ThingName};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(borrow)]
    execution_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    command_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    tid: Option<Cow<'a, str>>,
    attempt: Option<u64>,
    #[serde(borrow)]
    status: Option<Cow<'a, str>>,
    seq: Option<u64>,
    #[serde(borrow)]
    status_reason: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    msg: Option<&'a RawValue>,
    #[serde(borrow)]
    device_id: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StatusReason<'a> {
    #[serde(borrow)]
    reason_code: Option<Cow<'a, str>>,
    #[serde(borrow)]
    reason_description: Option<Cow<'a, str>>,
}

/// `named`: whether it is known by other means which execution this is about. A relayed message says only that it was relayed.
pub(super) fn decode(thing: &ThingName, text: &str, named: bool) -> Result<Said, ReportError> {
    let body: Body = serde_json::from_str(text).map_err(ReportError::Malformed)?;
    let Some(word) = body.status else {
        let relayed = named && body.device_id.is_some();
        return if relayed { Ok(Said::relayed(body.msg)) } else { Err(ReportError::NoStatus) };
    };
    let reported = reported(&word, body.seq.unwrap_or(0))
        .ok_or_else(|| ReportError::UnknownStatus(shown(&word, 64).unwrap_or_default()))?;
    // Who answers a broadcast was told of a command, not of an execution.
    let execution = match (body.execution_id.or(body.tid), body.command_id) {
        (Some(id), _) => Some(ExecutionId::parse(&id)),
        (None, Some(command)) => Some(CommandId::parse(&command).map(|command| ExecutionId::of(&command, thing))),
        (None, None) => None,
    }
    .transpose();
    // A reason that makes no sense does not make the outcome untrue: it is left out, and the outcome kept.
    let reason = body.status_reason.and_then(|raw| serde_json::from_str::<StatusReason>(raw.get()).ok());
    let (code, description) = match reason {
        None => (None, None),
        Some(reason) => (
            reason.reason_code.and_then(|code| ReasonCode::clean(&code)),
            reason.reason_description.and_then(|text| shown(&text, Report::DESCRIPTION)),
        ),
    };
    Ok(Said {
        execution: execution.map_err(ReportError::Id)?,
        attempt: body.attempt,
        reported,
        code,
        description,
        result: body.result.map(|raw| ReportResult::new(raw.get())),
    })
}
