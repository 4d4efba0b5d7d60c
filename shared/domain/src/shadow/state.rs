//! State control: what is wanted are attributes in `desired`, and it is done when `reported` has them too.

use serde_json::{Map, Number, Value, value::RawValue};

use super::{ShadowError, ShadowUpdate, document::Document, limits, update::State};
use crate::{Key, Payload, ShadowName};

/// `desired` is the payload itself.
const OWN_LEVELS: usize = 0;

type Attributes = Map<String, Value>;

pub(super) fn delivery(
    shadow: Option<&ShadowName>,
    key: &Key,
    wanted: Option<&Payload>,
) -> Result<ShadowUpdate, ShadowError> {
    let payload = wanted.ok_or(ShadowError::NotAttributes)?.as_json();
    let value = limits::check(payload, OWN_LEVELS)?;
    if value.as_object().is_none_or(Map::is_empty) {
        return Err(ShadowError::NotAttributes);
    }
    // The device is to report as much.
    limits::check_size(2 * limits::size(&value))?;
    ShadowUpdate::delivering(key, shadow, State { desired: Some(payload), reported: None::<()> })
}

pub(super) fn withdrawal(
    shadow: Option<&ShadowName>,
    key: &Key,
    wanted: Option<&Payload>,
    document: &[u8],
) -> Result<Option<ShadowUpdate>, ShadowError> {
    let document = Document::parse(document)?;
    let sections = document.sections();
    let attributes = |section: Option<&RawValue>| match section {
        None => Ok(Attributes::new()),
        Some(section) => serde_json::from_str(section.get()).map_err(ShadowError::Document),
    };
    let Some(wanted) = wanted.and_then(attributes_of) else { return Ok(None) };
    let removals = undo(&wanted, &attributes(sections.desired)?, &attributes(sections.reported)?);
    if removals.is_empty() {
        return Ok(None);
    }
    let state = State { desired: Some(removals), reported: None::<()> };
    ShadowUpdate::withdrawing(key, shadow, state, Some(document.version)).map(Some)
}

/// Whether every attribute that is wanted has been reported with an equal value. `reported` is the section's JSON.
pub fn agrees(wanted: &Payload, reported: &str) -> bool {
    match (attributes_of(wanted), serde_json::from_str(reported)) {
        (Some(wanted), Ok(reported)) => is_met(&Value::Object(wanted), &reported),
        _ => false,
    }
}

/// Whether two wanted states have an attribute in common, so that the newer one takes the older one's place.
pub fn overlaps(a: &Payload, b: &Payload) -> bool {
    match (attributes_of(a), attributes_of(b)) {
        (Some(a), Some(b)) => meet(&Value::Object(a), &Value::Object(b)),
        _ => false,
    }
}

fn attributes_of(payload: &Payload) -> Option<Attributes> {
    serde_json::from_str(payload.as_json().get()).ok()
}

/// What removes from `desired` that which still is as it was wanted, and was never reported to be so.
fn undo(wanted: &Attributes, desired: &Attributes, reported: &Attributes) -> Attributes {
    let nothing = Attributes::new();
    let mut removals = Attributes::new();
    for (name, want) in wanted {
        let (Some(is), said) = (desired.get(name), reported.get(name)) else { continue };
        let removal = match (want, is) {
            (Value::Object(want), Value::Object(is)) if !want.is_empty() => {
                let inner = undo(want, is, said.and_then(Value::as_object).unwrap_or(&nothing));
                if inner.is_empty() {
                    continue;
                }
                // An object that would be left empty goes as a whole: AWS IoT takes an empty object for a value.
                let all = is.keys().all(|name| inner.get(name).is_some_and(Value::is_null));
                if all { Value::Null } else { Value::Object(inner) }
            }
            _ if is_same(want, is) && !said.is_some_and(|said| is_settled(want, said)) => Value::Null,
            _ => continue,
        };
        removals.insert(name.clone(), removal);
    }
    removals
}

/// Whether no delta can be left. Nobody says whether AWS IoT takes [1] for [1.0], so in an array the numbers have to be written alike.
fn is_settled(want: &Value, said: &Value) -> bool {
    if want.is_array() { want == said } else { is_met(want, said) }
}

/// As AWS IoT finds that there is no delta: objects member by member, everything else as a whole.
fn is_met(want: &Value, said: &Value) -> bool {
    match (want, said) {
        (Value::Object(want), Value::Object(said)) => {
            want.iter().all(|(name, want)| said.get(name).is_some_and(|said| is_met(want, said)))
        }
        _ => is_same(want, said),
    }
}

fn meet(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let common = a.iter().any(|(name, a)| b.get(name).is_some_and(|b| meet(a, b)));
            common || (a.is_empty() && b.is_empty())
        }
        _ => true,
    }
}

fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => is_same_number(a, b),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| is_same(a, b)))
        }
        _ => a == b,
    }
}

/// 1 is 1.0: devices write numbers as their language does.
fn is_same_number(a: &Number, b: &Number) -> bool {
    match (a.as_i64(), b.as_i64(), a.as_u64(), b.as_u64()) {
        (Some(a), Some(b), _, _) => a == b,
        (_, _, Some(a), Some(b)) => a == b,
        _ => a.as_f64() == b.as_f64(),
    }
}

#[cfg(test)]
mod tests;
