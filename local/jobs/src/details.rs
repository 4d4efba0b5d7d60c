//! `statusDetails`: pairs of names and values that describe the status of an execution.

use std::collections::BTreeMap;

/// Names and values.
pub(super) type Details = BTreeMap<String, String>;

/// Maximum pairs (AWS IoT Device Management quotas).
const MAX_PAIRS: usize = 10;

/// Checks the constraints of the API model.
pub(super) fn check(details: Option<&Details>) -> Result<(), String> {
    let Some(details) = details else { return Ok(()) };
    if details.len() > MAX_PAIRS {
        return Err(format!("statusDetails has more than {MAX_PAIRS} pairs"));
    }
    for (name, value) in details {
        let allowed = |c: char| c.is_ascii_alphanumeric() || ":_-".contains(c);
        if !(1..=128).contains(&name.len()) || !name.chars().all(allowed) {
            return Err("a name of statusDetails has 1 to 128 characters of [a-zA-Z0-9:_-]".to_owned());
        }
        if !(1..=1024).contains(&value.chars().count()) || value.chars().any(char::is_control) {
            return Err(format!(
                "the value of {name} in statusDetails has 1 to 1024 characters, no control characters"
            ));
        }
    }
    Ok(())
}
