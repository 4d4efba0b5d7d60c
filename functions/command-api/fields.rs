//! A JSON object, a field at a time, so that every error names its field and says what would be right.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::problem::Problem;

/// The fields of an object that nobody has asked for yet.
pub struct Fields<'a> {
    path: &'static str,
    left: BTreeMap<String, &'a RawValue>,
}

impl<'a> Fields<'a> {
    /// What a request's body holds.
    pub fn of_body(text: &'a str) -> Result<Self, Problem> {
        let left = serde_json::from_str(text)
            .map_err(|error| Problem::bad_request("body", format!("body must be a JSON object: {error}")))?;
        Ok(Self { path: "", left })
    }

    /// What a field of it holds, which must be an object such as the example. The path is that field's.
    pub fn of(path: &'static str, value: &'a RawValue, example: &str) -> Result<Self, Problem> {
        match serde_json::from_str(value.get()) {
            Ok(left) => Ok(Self { path, left }),
            Err(_) => Err(wrong(path, &format!("an object such as {example}"), value)),
        }
    }

    /// Whether it is there and not null.
    pub fn has(&self, field: &str) -> bool {
        self.left.get(field).is_some_and(|value| value.get() != "null")
    }

    /// The field, if it is there and not null. It must be what is said to be right.
    pub fn take<T: Deserialize<'a>>(&mut self, field: &str, right: &str) -> Result<Option<T>, Problem> {
        match self.left.remove(field) {
            None => Ok(None),
            Some(raw) => serde_json::from_str(raw.get()).map_err(|_| wrong(&self.named(field), right, raw)),
        }
    }

    /// The field, which must be there.
    pub fn need<T: Deserialize<'a>>(&mut self, field: &str, right: &str) -> Result<T, Problem> {
        let named = self.named(field);
        let missing = || Problem::bad_request(&named, format!("{named} is missing: it must be {right}"));
        self.take(field, right)?.ok_or_else(missing)
    }

    /// Refuses whatever nobody has asked for.
    pub fn end(self, known: &str) -> Result<(), Problem> {
        match self.left.keys().next() {
            None => Ok(()),
            Some(field) => {
                let shown = self.named(&beginning(field));
                Err(Problem::bad_request(&shown, format!("{shown:?} is not a field here; known are: {known}")))
            }
        }
    }

    fn named(&self, field: &str) -> String {
        if self.path.is_empty() { field.to_owned() } else { format!("{}.{field}", self.path) }
    }
}

/// That a field is not what would be right.
pub fn wrong(field: &str, right: &str, found: &RawValue) -> Problem {
    Problem::bad_request(field, format!("{field} must be {right}: it is {}", beginning(found.get())))
}

fn beginning(text: &str) -> String {
    text.chars().take(64).collect()
}
