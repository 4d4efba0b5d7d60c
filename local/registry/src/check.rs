//! Constraints of the `iot` API model on request members, with the text of AWS's validation errors.

use std::ops::RangeInclusive;

use super::error::Error;

/// Checks the name of a thing, type or group.
pub(super) fn name(member: &str, value: &str) -> Result<(), Error> {
    length(member, value, 1..=128)?;
    characters(member, value, "[a-zA-Z0-9:_-]+", |c| c.is_ascii_alphanumeric() || ":_-".contains(c))
}

/// Checks the name of a policy.
pub(super) fn policy_name(value: &str) -> Result<(), Error> {
    length("policyName", value, 1..=128)?;
    characters("policyName", value, r"[\w+=,.@-]+", |c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c))
}

/// Checks the description of a type or group.
pub(super) fn description(member: &str, value: &str) -> Result<(), Error> {
    length(member, value, 0..=2028)?;
    characters(member, value, r"[\p{Graph}\x20]*", |c| !c.is_control() && (c == ' ' || !c.is_whitespace()))
}

pub(super) fn attribute_name(value: &str) -> Result<(), Error> {
    length("attributeName", value, 1..=128)?;
    characters("attributeName", value, "[a-zA-Z0-9_.,@/:#-]+", |c| c.is_ascii_alphanumeric() || "_.,@/:#-".contains(c))
}

pub(super) fn attribute_value(value: &str) -> Result<(), Error> {
    length("attributeValue", value, 0..=800)?;
    characters("attributeValue", value, r"[a-zA-Z0-9_.,@/:#=\[\]-]*", |c| {
        c.is_ascii_alphanumeric() || "_.,@/:#=[]-".contains(c)
    })
}

pub(super) fn certificate_id(value: &str) -> Result<(), Error> {
    length("certificateId", value, 64..=64)?;
    characters("certificateId", value, "(0x)?[a-fA-F0-9]+", |c| c.is_ascii_hexdigit())
}

pub(super) fn number(member: &str, value: i64, range: RangeInclusive<i64>) -> Result<(), Error> {
    if value < *range.start() {
        let min = range.start();
        return Err(validation_error(member, value, &format!("Member must have value greater than or equal to {min}")));
    }
    if value > *range.end() {
        let max = range.end();
        return Err(validation_error(member, value, &format!("Member must have value less than or equal to {max}")));
    }
    Ok(())
}

fn length(member: &str, value: &str, range: RangeInclusive<usize>) -> Result<(), Error> {
    let length = value.chars().count();
    if length < *range.start() {
        let min = range.start();
        return Err(validation_error(
            member,
            value,
            &format!("Member must have length greater than or equal to {min}"),
        ));
    }
    if length > *range.end() {
        let max = range.end();
        return Err(validation_error(member, value, &format!("Member must have length less than or equal to {max}")));
    }
    Ok(())
}

fn characters(member: &str, value: &str, pattern: &str, allowed: impl Fn(char) -> bool) -> Result<(), Error> {
    if value.chars().all(allowed) {
        return Ok(());
    }
    Err(validation_error(member, value, &format!("Member must satisfy regular expression pattern: {pattern}")))
}

fn validation_error(member: &str, value: impl std::fmt::Display, constraint: &str) -> Error {
    Error::invalid(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"
    ))
}
