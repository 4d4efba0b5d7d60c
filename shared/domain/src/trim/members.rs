//! The members of a JSON object as borrowed text, and writing such an object again.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Name and value, in the object's order. The name is unescaped.
pub(super) type Members<'a> = Vec<(Cow<'a, str>, &'a RawValue)>;

/// Splits an object into its members.
pub(super) fn of(object: &str) -> Result<Members<'_>, serde_json::Error> {
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

/// A name that is borrowed unless it holds an escape.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(transparent)]
        struct Borrowed<'a>(#[serde(borrow)] Cow<'a, str>);
        Borrowed::deserialize(deserializer).map(|name| Self(name.0))
    }
}

/// One member's text; `None` when `object` is no object or has no such member.
pub(super) fn get<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    of(object).ok()?.into_iter().rev().find(|(n, _)| n == name).map(|(_, value)| value.get())
}

/// Writes an object, member by member.
pub(super) struct Writer<'b> {
    body: &'b mut String,
    empty: bool,
}

impl<'b> Writer<'b> {
    pub(super) fn new(body: &'b mut String) -> Self {
        body.push('{');
        Self { body, empty: true }
    }

    /// A member whose value is JSON text already.
    pub(super) fn raw(&mut self, name: &str, value: &str) {
        self.name(name).push_str(value);
    }

    /// Writes a member's name and lends the text for its value.
    pub(super) fn name(&mut self, name: &str) -> &mut String {
        if !std::mem::take(&mut self.empty) {
            self.body.push(',');
        }
        // A string always serialises.
        self.body.push_str(&serde_json::to_string(name).unwrap_or_default());
        self.body.push(':');
        self.body
    }

    pub(super) fn end(self) {
        self.body.push('}');
    }
}
