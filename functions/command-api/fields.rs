//! `Fields`: a JSON object read one field at a time, so that every error names its field and says what is allowed.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::problem::Problem;

/// The fields of an object that have not been taken yet.
pub struct Fields<'a> {
    path: String,
    left: BTreeMap<String, &'a RawValue>,
}

/// The members of an object, and the first name that occurs twice.
#[derive(Default)]
struct Members<'a> {
    values: BTreeMap<String, &'a RawValue>,
    repeated: Option<String>,
}

impl<'a> Fields<'a> {
    /// The fields of a request body.
    pub fn of_body(body: &'a [u8]) -> Result<Self, Problem> {
        let text = std::str::from_utf8(body).map_err(|_| Problem::bad_request("body", "the body is not UTF-8"))?;
        let members = serde_json::from_str(text)
            .map_err(|error| Problem::bad_request("body", format!("body must be a JSON object: {error}")))?;
        Self::of_members("", members)
    }

    /// The fields of the object `value`, which is at `path` in the body. `example` is such an object.
    pub fn of_object(path: &str, value: &'a RawValue, example: &str) -> Result<Self, Problem> {
        match serde_json::from_str(value.get()) {
            Ok(members) => Self::of_members(path, members),
            Err(_) => Err(wrong_type(path, &format!("an object such as {example}"), value)),
        }
    }

    fn of_members(path: &str, members: Members<'a>) -> Result<Self, Problem> {
        let fields = Self { path: path.to_owned(), left: members.values };
        match members.repeated {
            None => Ok(fields),
            Some(name) => {
                let path = fields.path_of(&shortened(&name));
                Err(Problem::bad_request(&path, format!("{path} is given twice: leave one of them out")))
            }
        }
    }

    /// Takes a field; none if it is absent or null. `expected` describes its type.
    pub fn take<T: Deserialize<'a>>(&mut self, field: &str, expected: &str) -> Result<Option<T>, Problem> {
        match self.left.remove(field) {
            None => Ok(None),
            Some(raw) => serde_json::from_str(raw.get()).map_err(|_| wrong_type(&self.path_of(field), expected, raw)),
        }
    }

    /// Takes a field that is a whole number. JSON knows no integers, so 60.0 and 6e1 are the whole number 60.
    pub fn take_whole(&mut self, field: &str, expected: &str) -> Result<Option<i64>, Problem> {
        Ok(self.take::<Whole>(field, expected)?.map(|whole| whole.0))
    }

    /// Takes a field that is an object, and decodes it. `example` is such an object.
    pub fn take_object<T>(
        &mut self,
        field: &str,
        example: &str,
        decode: impl FnOnce(Fields<'a>) -> Result<T, Problem>,
    ) -> Result<Option<T>, Problem> {
        match self.take::<&RawValue>(field, example)? {
            None => Ok(None),
            Some(value) => decode(Fields::of_object(&self.path_of(field), value, example)?).map(Some),
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

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnObject;
        impl<'de> Visitor<'de> for AnObject {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Members::default();
                while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                    if members.values.insert(name.clone(), value).is_some() {
                        members.repeated.get_or_insert(name);
                    }
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(AnObject)
    }
}

/// A whole number. One beyond 64 bits becomes the largest or the smallest: it is beyond every limit of the API too.
#[derive(Clone, Copy)]
pub struct Whole(pub i64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?;
        let whole = number.as_f64().filter(|number| number.fract() == 0.0);
        // The cast saturates.
        number
            .as_i64()
            .or(whole.map(|number| number as i64))
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("not whole"))
    }
}

/// The problem of a field that has another type than `expected`.
pub fn wrong_type(field: &str, expected: &str, found: &RawValue) -> Problem {
    Problem::bad_request(field, format!("{field} must be {expected}: it is {}", shortened(found.get())))
}

fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}
