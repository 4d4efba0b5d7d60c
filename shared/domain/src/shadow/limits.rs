//! What a shadow can hold, so that whoever asks hears of it before the device does not.

use serde_json::{Value, value::RawValue};

use super::ShadowError;

/// Levels of objects and arrays, where `desired` is the first. AWS IoT's error text says 6, its quotas say 8: 6 is safe.
pub(super) const LEVELS: usize = 6;

/// Bytes of `desired` and `reported` together, without metadata.
pub(super) const BYTES: usize = 8192;

/// The payload, if a shadow can hold it below this many levels of the dialect's own.
pub(super) fn check(payload: &RawValue, own_levels: usize) -> Result<Value, ShadowError> {
    let value: Value = serde_json::from_str(payload.get()).map_err(ShadowError::Payload)?;
    let most = LEVELS - own_levels;
    match (levels(&value), null(&value)) {
        (found, _) if found > most => Err(ShadowError::TooDeep { most, found }),
        (_, Some(at)) => Err(ShadowError::Null { at: at.chars().take(256).collect() }),
        _ => Ok(value),
    }
}

/// Refuses what would fill the shadow by itself.
pub(super) fn check_size(found: usize) -> Result<(), ShadowError> {
    if found > BYTES { Err(ShadowError::TooLarge { found }) } else { Ok(()) }
}

/// How many bytes a shadow counts for it: the blanks that its writer put in are not kept.
pub(super) fn size(value: &Value) -> usize {
    value.to_string().len()
}

fn levels(value: &Value) -> usize {
    match value {
        Value::Object(members) => 1 + members.values().map(levels).max().unwrap_or(0),
        Value::Array(items) => 1 + items.iter().map(levels).max().unwrap_or(0),
        _ => 0,
    }
}

/// Where the first null is, as a JSON pointer.
fn null(value: &Value) -> Option<String> {
    let below = |(name, value): (&dyn std::fmt::Display, &Value)| null(value).map(|at| format!("/{name}{at}"));
    match value {
        Value::Null => Some(String::new()),
        Value::Object(members) => members.iter().find_map(|(name, value)| below((name, value))),
        Value::Array(items) => items.iter().enumerate().find_map(|(n, value)| below((&n, value))),
        _ => None,
    }
}
