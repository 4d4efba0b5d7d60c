//! `Fields`: a JSON object read one field at a time, so that every error names its field and says what is allowed.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::problem::Problem;

/// The fields of an object that have not been taken yet.
pub struct Fields<'a> {
    path: &'static str,
    left: BTreeMap<String, &'a RawValue>,
}

impl<'a> Fields<'a> {
    /// The fields of a request body.
    pub fn of_body(body: &'a [u8]) -> Result<Self, Problem> {
        let text = std::str::from_utf8(body).map_err(|_| Problem::bad_request("body", "the body is not UTF-8"))?;
        let left = serde_json::from_str(text)
            .map_err(|error| Problem::bad_request("body", format!("body must be a JSON object: {error}")))?;
        Ok(Self { path: "", left })
    }

    /// The fields of the object `value`, which is at `path` in the body. `example` is such an object.
    pub fn of_object(path: &'static str, value: &'a RawValue, example: &str) -> Result<Self, Problem> {
        match serde_json::from_str(value.get()) {
            Ok(left) => Ok(Self { path, left }),
            Err(_) => Err(wrong_type(path, &format!("an object such as {example}"), value)),
        }
    }

    /// Whether the field is present and not null.
    pub fn has(&self, field: &str) -> bool {
        self.left.get(field).is_some_and(|value| value.get() != "null")
    }

    /// Takes a field; none if it is absent or null. `expected` describes its type.
    pub fn take<T: Deserialize<'a>>(&mut self, field: &str, expected: &str) -> Result<Option<T>, Problem> {
        match self.left.remove(field) {
            None => Ok(None),
            Some(raw) => serde_json::from_str(raw.get()).map_err(|_| wrong_type(&self.path_of(field), expected, raw)),
        }
    }

    /// Takes a field that is required.
    pub fn require<T: Deserialize<'a>>(&mut self, field: &str, expected: &str) -> Result<T, Problem> {
        let path = self.path_of(field);
        let missing = || Problem::bad_request(&path, format!("{path} is missing: it must be {expected}"));
        self.take(field, expected)?.ok_or_else(missing)
    }

    /// Refuses the object if a field is left. `known` lists all that could be taken.
    pub fn refuse_unknown(self, known: &str) -> Result<(), Problem> {
        match self.left.keys().next() {
            None => Ok(()),
            Some(field) => {
                let path = self.path_of(&shortened(field));
                Err(Problem::bad_request(&path, format!("{path:?} is not a field here; known are: {known}")))
            }
        }
    }

    fn path_of(&self, field: &str) -> String {
        if self.path.is_empty() { field.to_owned() } else { format!("{}.{field}", self.path) }
    }
}

/// The problem of a field that has another type than `expected`.
pub fn wrong_type(field: &str, expected: &str, found: &RawValue) -> Problem {
    Problem::bad_request(field, format!("{field} must be {expected}: it is {}", shortened(found.get())))
}

fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}
