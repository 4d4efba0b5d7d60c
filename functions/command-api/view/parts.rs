//! The JSON of a retry and of a lane, which commands and executions share.

use domain::{AttemptFailure, Lane, Retry};
use serde_json::{Value, json};

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
