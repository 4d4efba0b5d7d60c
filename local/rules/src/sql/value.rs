//! What an expression's value can be. JSON from the payload stays text until somebody looks inside.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::number::Number;

/// How deep two values are compared; deeper ones count as different.
const DEPTH: usize = 64;

/// A value, or the lack of one.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// Not a value: left out of objects, and what most functions make of arguments that they cannot use.
    Undefined,
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'a, str>),
    Array(Vec<Value<'a>>),
    /// In order; where a key repeats the last one counts.
    Object(Vec<(String, Value<'a>)>),
    /// Valid JSON that nobody has looked into, spelled as the publisher spelled it.
    Json(Cow<'a, str>),
    /// A payload that is not JSON.
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Value::Text(text.into())
    }

    /// Looks one level into JSON text.
    pub fn open(self) -> Self {
        match self {
            Value::Json(Cow::Borrowed(json)) => open(json, &|raw: &'a RawValue| Cow::Borrowed(raw.get())),
            Value::Json(Cow::Owned(json)) => open(&json, &|raw: &RawValue| Cow::Owned(raw.get().to_owned())),
            other => other,
        }
    }

    /// The member of an object; of anything else `Undefined`.
    pub fn member(self, key: &str) -> Self {
        match self.open() {
            Value::Object(members) => {
                let found = members.into_iter().rev().find(|(name, _)| name == key);
                found.map_or(Value::Undefined, |(_, value)| value)
            }
            _ => Value::Undefined,
        }
    }

    /// Puts a value at a path into an object, over what is there.
    pub fn set(members: &mut Vec<(String, Value<'a>)>, path: &[String], value: Value<'a>) {
        let Some((key, rest)) = path.split_first() else { return };
        let position = members.iter().rposition(|(name, _)| name == key);
        let value = if rest.is_empty() {
            value
        } else {
            let there = position.and_then(|i| members.get(i)).map_or(Value::Undefined, |(_, there)| there.clone());
            let mut inner = match there.open() {
                Value::Object(inner) => inner,
                _ => Vec::new(),
            };
            Self::set(&mut inner, rest, value);
            Value::Object(inner)
        };
        match position.and_then(|i| members.get_mut(i)) {
            Some((_, there)) => *there = value,
            None => members.push((key.clone(), value)),
        }
    }

    /// The standard conversion to a String.
    pub fn to_text(&self) -> Option<Cow<'a, str>> {
        match self {
            Value::Text(text) => Some(text.clone()),
            Value::Bool(b) => Some(if *b { "true" } else { "false" }.into()),
            Value::Number(n) => Some(n.to_string().into()),
            Value::Undefined | Value::Null | Value::Bytes(_) => None,
            Value::Array(_) | Value::Object(_) => Some(compact(&self.to_json()).into()),
            Value::Json(json) => match json.as_bytes().first() {
                Some(b'{' | b'[') => Some(compact(json).into()),
                _ => self.clone().open().to_text(),
            },
        }
    }

    /// The standard conversion to a Decimal.
    pub fn to_number(&self) -> Option<Number> {
        match self {
            Value::Number(n) => Some(n.clone()),
            Value::Text(text) => Number::from_text(text),
            Value::Json(_) => match self.clone().open() {
                Value::Json(_) => None,
                opened => opened.to_number(),
            },
            _ => None,
        }
    }

    /// The standard conversion to a Boolean.
    pub fn to_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(b) => Some(*b),
            Value::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Value::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
            Value::Json(_) => match self.clone().open() {
                Value::Json(_) => None,
                opened => opened.to_bool(),
            },
            _ => None,
        }
    }

    pub fn is_undefined(&self) -> bool {
        matches!(self, Value::Undefined)
    }

    /// Whether two values are the same; `None` where one is undefined.
    pub fn equals(&self, other: &Self) -> Option<bool> {
        let (a, b) = (self.clone().open(), other.clone().open());
        (!a.is_undefined() && !b.is_undefined()).then(|| same(a, b, DEPTH))
    }

    /// As JSON; nothing at all for `Undefined`.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Value::Undefined | Value::Bytes(_) => {}
            Value::Null => out.push_str("null"),
            Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
            Value::Number(n) => out.push_str(&n.to_string()),
            Value::Text(text) => quote(text, out),
            Value::Json(json) => out.push_str(json),
            Value::Array(items) => {
                out.push('[');
                for (i, item) in items.iter().filter(|item| item.is_json()).enumerate() {
                    out.push_str(if i > 0 { "," } else { "" });
                    item.write(out);
                }
                out.push(']');
            }
            Value::Object(members) => {
                out.push('{');
                for (i, (key, value)) in members.iter().filter(|(_, value)| value.is_json()).enumerate() {
                    out.push_str(if i > 0 { "," } else { "" });
                    quote(key, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }

    fn is_json(&self) -> bool {
        !matches!(self, Value::Undefined | Value::Bytes(_))
    }
}

fn same(a: Value<'_>, b: Value<'_>, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match (a.open(), b.open()) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Number(a), Value::Number(b)) => a == b,
        (Value::Text(a), Value::Text(b)) => a == b,
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.into_iter().zip(b).all(|(a, b)| same(a, b, depth))
        }
        (Value::Object(a), Value::Object(b)) => {
            let (a, mut b) = (BTreeMap::from_iter(a), BTreeMap::from_iter(b));
            a.len() == b.len() && a.into_iter().all(|(key, a)| b.remove(&key).is_some_and(|b| same(a, b, depth)))
        }
        _ => false,
    }
}

fn open<'j, 'v>(json: &'j str, part: &dyn Fn(&'j RawValue) -> Cow<'v, str>) -> Value<'v> {
    let opened = match json.trim_start().as_bytes().first() {
        Some(b'{') => serde_json::from_str::<Members<'j>>(json).map(|Members(members)| {
            Value::Object(members.into_iter().map(|(k, v)| (k, Value::Json(part(v)))).collect())
        }),
        Some(b'[') => serde_json::from_str::<Vec<&'j RawValue>>(json)
            .map(|items| Value::Array(items.into_iter().map(|item| Value::Json(part(item))).collect())),
        Some(b'"') => serde_json::from_str::<String>(json).map(Value::text),
        Some(b't') => Ok(Value::Bool(true)),
        Some(b'f') => Ok(Value::Bool(false)),
        Some(b'n') => Ok(Value::Null),
        _ => Ok(Number::parse(json.trim()).map_or(Value::Undefined, Value::Number)),
    };
    // Valid JSON can still hold what no text can: half a surrogate pair.
    opened.unwrap_or(Value::Undefined)
}

/// An object's members, in order, not looked into.
struct Members<'j>(Vec<(String, &'j RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

fn quote(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

/// JSON without the spaces between its tokens.
fn compact(json: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    json.chars()
        .filter(|c| {
            match (quoted, escaped, *c) {
                (true, true, _) => escaped = false,
                (true, false, '\\') => escaped = true,
                (_, _, '"') => quoted = !quoted,
                _ => {}
            }
            quoted || !c.is_ascii_whitespace()
        })
        .collect()
}
