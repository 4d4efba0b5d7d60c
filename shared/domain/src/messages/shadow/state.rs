//! Desired states: the payload's members become attributes of `desired`, and the execution succeeds when `reported` has
//! them too.

use serde_json::{Value, value::RawValue};

use crate::command::payload::Payload;
use crate::execution::key::Key;
use crate::messages::shadow::attributes::{Attributes, attributes_of, is_equal, is_reached};
use crate::messages::shadow::check;
use crate::messages::shadow::document::Document;
use crate::messages::shadow::error::ShadowError;
use crate::messages::shadow::update::{ShadowUpdate, State};
use crate::names::ShadowName;

/// The payload itself is merged into `desired`: no level of the dialect stands above it.
const OWN_LEVELS: usize = 0;

pub(super) fn delivery_update(
    shadow: Option<&ShadowName>,
    key: &Key,
    payload: Option<&Payload>,
) -> Result<ShadowUpdate, ShadowError> {
    let payload = payload.ok_or(ShadowError::NotAttributes)?.as_json();
    let value = check::parse_payload(payload, OWN_LEVELS)?;
    match value.as_object() {
        Some(attributes) if !attributes.is_empty() => check_members(shadow, attributes)?,
        _ => return Err(ShadowError::NotAttributes),
    }
    // The device reports the same attributes.
    check::check_size(2 * check::size(&value))?;
    ShadowUpdate::delivering(key, shadow, State { desired: Some(payload), reported: None::<()> })
}

/// Refuses the member in which the shadow holds commands: `command` of the classic shadow, `c` of the shadow `cmd`.
fn check_members(shadow: Option<&ShadowName>, attributes: &Attributes) -> Result<(), ShadowError> {
    let (member, shadow) = match shadow {
        None => ("command", "the classic shadow".to_owned()),
        Some(shadow) if *shadow == ShadowName::commands() => ("c", format!("shadow {shadow}")),
        Some(_) => return Ok(()),
    };
    if attributes.contains_key(member) { Err(ShadowError::CommandMember { shadow, member }) } else { Ok(()) }
}

pub(super) fn removal_update(
    shadow: Option<&ShadowName>,
    key: &Key,
    payload: Option<&Payload>,
    document: &[u8],
) -> Result<Option<ShadowUpdate>, ShadowError> {
    let document = Document::parse(document)?;
    let sections = document.sections();
    let attributes = |section: Option<&RawValue>| match section {
        None => Ok(Attributes::new()),
        Some(section) => serde_json::from_str(section.get()).map_err(ShadowError::Document),
    };
    let Some(wanted) = payload.and_then(attributes_of) else { return Ok(None) };
    let removals = removals(&wanted, &attributes(sections.desired)?, &attributes(sections.reported)?);
    if removals.is_empty() {
        return Ok(None);
    }
    let state = State { desired: Some(removals), reported: None::<()> };
    ShadowUpdate::removing(key, shadow, state, Some(document.version)).map(Some)
}

/// The patch of `desired` that removes the attributes of `wanted` that `desired` still holds unchanged and the device
/// has not reached.
fn removals(wanted: &Attributes, desired: &Attributes, reported: &Attributes) -> Attributes {
    let empty = Attributes::new();
    let mut patch = Attributes::new();
    for (name, wanted) in wanted {
        let (Some(desired), reported) = (desired.get(name), reported.get(name)) else { continue };
        let removal = match (wanted, desired) {
            (Value::Object(wanted), Value::Object(desired)) if !wanted.is_empty() => {
                let inner = removals(wanted, desired, reported.and_then(Value::as_object).unwrap_or(&empty));
                if inner.is_empty() {
                    continue;
                }
                // An object that would become empty is removed as a whole: to AWS IoT an empty object is a value.
                let all = desired.keys().all(|name| inner.get(name).is_some_and(Value::is_null));
                if all { Value::Null } else { Value::Object(inner) }
            }
            _ if is_equal(wanted, desired) && !has_no_delta(wanted, reported) => Value::Null,
            _ => continue,
        };
        patch.insert(name.clone(), removal);
    }
    patch
}

/// Whether AWS IoT certainly sends no delta. Its documentation does not say whether it takes [1] for [1.0], so arrays
/// have to be identical.
fn has_no_delta(wanted: &Value, reported: Option<&Value>) -> bool {
    reported.is_some_and(|reported| if wanted.is_array() { wanted == reported } else { is_reached(wanted, reported) })
}

#[cfg(test)]
mod tests;
