//! When a desired state is reached, and which desired states exclude each other.

use serde_json::Value;

use crate::command::payload::Payload;
use crate::messages::shadow::attributes::{attributes_of, have_common_attribute, is_reached};

/// Whether a device has reached a desired state: `reported`, the JSON of that section, has every attribute of `desired`
/// with an equal value.
pub fn desired_state_reached(desired: &Payload, reported: &str) -> bool {
    match (attributes_of(desired), serde_json::from_str(reported)) {
        (Some(desired), Ok(reported)) => is_reached(&Value::Object(desired), &reported),
        _ => false,
    }
}

/// Whether two desired states have an attribute in common, so that the newer one supersedes the older one.
pub fn desired_states_overlap(a: &Payload, b: &Payload) -> bool {
    match (attributes_of(a), attributes_of(b)) {
        (Some(a), Some(b)) => have_common_attribute(&Value::Object(a), &Value::Object(b)),
        _ => false,
    }
}
