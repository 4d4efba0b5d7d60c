//! Constraints of the API model on members of requests.

use super::error::Error;

/// Checks the id of a job.
pub(super) fn job_id(value: &str) -> Result<(), Error> {
    match is_job_id(value) {
        true => Ok(()),
        false => Err(violated("jobId", value, "it has 1 to 64 characters of [a-zA-Z0-9_-]")),
    }
}

pub(super) fn is_job_id(value: &str) -> bool {
    (1..=64).contains(&value.len()) && value.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
}

/// Checks the name of a thing.
pub(super) fn thing_name(value: &str) -> Result<(), Error> {
    match is_thing_name(value) {
        true => Ok(()),
        false => Err(violated("thingName", value, "it has 1 to 128 characters of [a-zA-Z0-9:_-]")),
    }
}

pub(super) fn is_thing_name(value: &str) -> bool {
    (1..=128).contains(&value.len()) && value.chars().all(|c| c.is_ascii_alphanumeric() || ":_-".contains(c))
}

/// Checks a description or a comment.
pub(super) fn text(member: &str, value: Option<&str>) -> Result<(), Error> {
    let Some(value) = value else { return Ok(()) };
    if value.is_empty() || value.chars().count() > 2028 || value.chars().any(char::is_control) {
        return Err(violated(member, value, "it has 1 to 2028 characters, none of them a control character"));
    }
    Ok(())
}

/// Checks the code that says why a job was canceled.
pub(super) fn reason_code(value: Option<&str>) -> Result<(), Error> {
    let Some(value) = value else { return Ok(()) };
    let allowed = |c: char| c.is_uppercase() || c.is_numeric() || c == '_';
    if value.is_empty() || value.chars().count() > 128 || !value.chars().all(allowed) {
        return Err(violated("reasonCode", value, "it has 1 to 128 upper-case letters, digits and underscores"));
    }
    Ok(())
}

fn violated(member: &str, value: &str, constraint: &str) -> Error {
    // A value may be as large as a request.
    let shown: String = value.chars().take(100).collect();
    Error::invalid(format!("Value '{shown}' at '{member}' failed to satisfy constraint: {constraint}"))
}
