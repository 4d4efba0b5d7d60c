//! Compares the attributes of a shadow as AWS IoT compares `desired` with `reported`.

use serde_json::{Map, Number, Value};

use crate::command::payload::Payload;

pub(super) type Attributes = Map<String, Value>;

/// The payload's members; `None` if it is not an object.
pub(super) fn attributes_of(payload: &Payload) -> Option<Attributes> {
    serde_json::from_str(payload.as_json().get()).ok()
}

/// Whether AWS IoT finds no delta: it compares objects member by member, every other value as a whole.
pub(super) fn is_reached(desired: &Value, reported: &Value) -> bool {
    match (desired, reported) {
        (Value::Object(desired), Value::Object(reported)) => {
            desired.iter().all(|(name, value)| reported.get(name).is_some_and(|found| is_reached(value, found)))
        }
        _ => is_equal(desired, reported),
    }
}

/// Whether two desired values have an attribute in common.
pub(super) fn have_common_attribute(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let common = a.iter().any(|(name, a)| b.get(name).is_some_and(|b| have_common_attribute(a, b)));
            common || (a.is_empty() && b.is_empty())
        }
        _ => true,
    }
}

pub(super) fn is_equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => is_equal_number(a, b),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| is_equal(a, b)))
        }
        _ => a == b,
    }
}

/// 1 equals 1.0: devices write numbers as their language does. Integers are compared without loss of precision.
fn is_equal_number(a: &Number, b: &Number) -> bool {
    match (a.as_i64(), b.as_i64(), a.as_u64(), b.as_u64()) {
        (Some(a), Some(b), _, _) => a == b,
        (_, _, Some(a), Some(b)) => a == b,
        _ => a.as_f64() == b.as_f64(),
    }
}
