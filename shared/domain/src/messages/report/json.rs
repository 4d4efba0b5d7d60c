//! Decodes reports in JSON: AWS IoT Commands' body with an execution id in it, `{"cmd", "tid", "status"}`, and the
//! relayed message `{"msg", "deviceId"}` of the AWS IoT Atlas dialect.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::ids::{CommandId, ExecutionId};
use crate::messages::report::content::{MAX_DESCRIPTION_BYTES, MAX_QUOTED_STATUS_BYTES, ReportContent};
use crate::messages::report::error::ReportError;
use crate::messages::report::printable::printable_prefix;
use crate::messages::report::reason_code::ReasonCode;
use crate::messages::report::reported_status::ReportedStatus;
use crate::messages::report::result::ReportResult;
use crate::names::ThingName;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(borrow)]
    execution_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    command_id: Option<&'a RawValue>,
    #[serde(borrow)]
    tid: Option<&'a RawValue>,
    #[serde(borrow)]
    attempt: Option<&'a RawValue>,
    #[serde(borrow)]
    status: Option<Cow<'a, str>>,
    #[serde(borrow)]
    seq: Option<&'a RawValue>,
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

/// `may_be_relayed`: a relayed message has no status; an entry of a shadow without one is none.
pub(super) fn decode(thing: &ThingName, text: &str, may_be_relayed: bool) -> Result<ReportContent, ReportError> {
    let body: Body = serde_json::from_str(text).map_err(ReportError::Malformed)?;
    let Some(word) = body.status else {
        let is_relayed = may_be_relayed && body.device_id.is_some();
        return if is_relayed { Ok(ReportContent::relayed(body.msg)) } else { Err(ReportError::NoStatus) };
    };
    let reported = ReportedStatus::parse(word.trim(), body.seq.and_then(as_number).unwrap_or(0)).ok_or_else(|| {
        ReportError::UnknownStatus(printable_prefix(&word, MAX_QUOTED_STATUS_BYTES).unwrap_or_default())
    })?;
    // A broadcast carries the command's id: a device that answers one can't know its execution's id.
    let execution = match (body.execution_id.or_else(|| as_text(body.tid?)), body.command_id.and_then(as_text)) {
        (Some(id), _) => Some(ExecutionId::parse(&id)),
        (None, Some(command)) => Some(CommandId::parse(&command).map(|command| ExecutionId::of(&command, thing))),
        (None, None) => None,
    }
    .transpose();
    // A malformed reason is left out; the reported status is kept.
    let reason = body.status_reason.and_then(|raw| serde_json::from_str::<StatusReason>(raw.get()).ok());
    let (code, description) = match reason {
        None => (None, None),
        Some(reason) => (
            reason.reason_code.and_then(|code| ReasonCode::clean(&code)),
            reason.reason_description.and_then(|text| printable_prefix(&text, MAX_DESCRIPTION_BYTES)),
        ),
    };
    Ok(ReportContent {
        execution: execution.map_err(ReportError::Id)?,
        attempt: body.attempt.and_then(as_number),
        reported,
        code,
        description,
        result: body.result.map(|raw| ReportResult::new(raw.get())),
        is_relayed: false,
        echo: None,
    })
}

/// A whole number: 3, 3.0, "3" and "3.0" are the same. Nothing else is one, and a member that holds something else counts as
/// missing: it does not touch what the report says.
fn as_number(raw: &RawValue) -> Option<u64> {
    let text = as_text(raw).unwrap_or(Cow::Borrowed(raw.get()));
    let whole = text.trim().parse::<f64>().ok().filter(|number| number.fract() == 0.0 && *number >= 0.0);
    // The cast saturates.
    text.trim().parse().ok().or(whole.map(|number| number as u64))
}

/// A text; none if the member holds something else.
fn as_text(raw: &RawValue) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    serde_json::from_str::<Text<'_>>(raw.get()).ok().map(|Text(text)| text)
}
