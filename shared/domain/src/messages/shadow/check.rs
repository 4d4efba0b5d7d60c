//! Checks that a shadow can hold a payload, before it is written: the API refuses a command that its device could never
//! receive.

use serde_json::{Value, value::RawValue};

use crate::messages::shadow::error::ShadowError;
use crate::messages::shadow::limits::{MAX_BYTES, MAX_LEVELS};

/// A pointer in an error is cut here.
const MAX_POINTER_CHARS: usize = 256;

/// Parses a payload that stands below `own_levels` levels of its dialect.
pub(super) fn parse_payload(payload: &RawValue, own_levels: usize) -> Result<Value, ShadowError> {
    let value: Value = serde_json::from_str(payload.get()).map_err(ShadowError::Payload)?;
    let max = MAX_LEVELS - own_levels;
    match (levels(&value), find_null(&value)) {
        (found, _) if found > max => Err(ShadowError::TooDeep { max, found }),
        (_, Some(at)) => Err(ShadowError::Null { at: at.chars().take(MAX_POINTER_CHARS).collect() }),
        _ => Ok(value),
    }
}

/// Refuses a value of more bytes than an otherwise empty shadow holds.
pub(super) fn check_size(found: usize) -> Result<(), ShadowError> {
    if found > MAX_BYTES { Err(ShadowError::TooLarge { found }) } else { Ok(()) }
}

/// The size of a value in a shadow, in bytes. AWS IoT does not keep the blanks of the update.
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

/// The JSON pointer of the first null.
fn find_null(value: &Value) -> Option<String> {
    let below = |(name, value): (&dyn std::fmt::Display, &Value)| find_null(value).map(|at| format!("/{name}{at}"));
    match value {
        Value::Null => Some(String::new()),
        Value::Object(members) => members.iter().find_map(|(name, value)| below((name, value))),
        Value::Array(items) => items.iter().enumerate().find_map(|(n, value)| below((&n, value))),
        _ => None,
    }
}
