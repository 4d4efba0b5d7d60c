//! Splits a JSON object into members of borrowed text, and writes an object from such members.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Names without escapes and values as JSON text, in the object's order.
pub(super) type Members<'a> = Vec<(Cow<'a, str>, &'a RawValue)>;

/// Splits an object into its members.
pub(super) fn split(object: &str) -> Result<Members<'_>, serde_json::Error> {
    struct Object<'a>(Members<'a>);
    impl<'de> Deserialize<'de> for Object<'de> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Collect;
            impl<'de> Visitor<'de> for Collect {
                type Value = Object<'de>;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("a JSON object")
                }
                fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                    let mut members = Vec::new();
                    while let Some(Name(name)) = map.next_key()? {
                        members.push((name, map.next_value::<&RawValue>()?));
                    }
                    Ok(Object(members))
                }
            }
            deserializer.deserialize_map(Collect)
        }
    }
    serde_json::from_str::<Object<'_>>(object).map(|object| object.0)
}

/// A name, which is borrowed unless it contains an escape.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(transparent)]
        struct Borrowed<'a>(#[serde(borrow)] Cow<'a, str>);
        Borrowed::deserialize(deserializer).map(|name| Self(name.0))
    }
}

/// The value of the last member of this name as JSON text; `None` if `object` is not an object or has no such member.
pub(super) fn get<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    split(object).ok()?.into_iter().rev().find(|(n, _)| n == name).map(|(_, value)| value.get())
}

/// Writes an object, member by member.
pub(super) struct ObjectWriter<'b> {
    body: &'b mut String,
    empty: bool,
}

impl<'b> ObjectWriter<'b> {
    pub(super) fn new(body: &'b mut String) -> Self {
        body.push('{');
        Self { body, empty: true }
    }

    /// Writes a member whose value is JSON text.
    pub(super) fn raw(&mut self, name: &str, value: &str) {
        if !std::mem::take(&mut self.empty) {
            self.body.push(',');
        }
        // A string always serialises.
        self.body.push_str(&serde_json::to_string(name).unwrap_or_default());
        self.body.push(':');
        self.body.push_str(value);
    }

    pub(super) fn end(self) {
        self.body.push('}');
    }
}
