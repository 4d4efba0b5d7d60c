//! The JSON of a retry, a lane and a device's result, which several views share.

use domain::{AttemptFailure, Lane, ReportResult, Retry};
use serde_json::{Value, json, value::RawValue};

pub fn retry(retry: &Retry) -> Value {
    let (base, cap) = retry.backoff_seconds();
    let on: Vec<&str> = retry.on().map(AttemptFailure::as_str).collect();
    json!({
        "attempts": retry.max_attempts(),
        "on": on,
        "wait": retry.wait_seconds(),
        "backoff": {"base": base, "cap": cap},
    })
}

pub fn lane(lane: &Lane) -> Value {
    json!({"name": lane.name.as_str(), "onFailure": lane.on_failure.as_str()})
}

/// The device's result, byte for byte. A truncated result is no JSON any more, so it is shown as text, and so is one that
/// nests deeper than JSON parsers read.
pub fn result(result: &ReportResult) -> Option<Box<RawValue>> {
    let is_json = !result.truncated && serde_json::from_str::<Value>(&result.text).is_ok();
    let json = if is_json { result.text.clone() } else { Value::from(result.text.as_str()).to_string() };
    RawValue::from_string(json).ok()
}
