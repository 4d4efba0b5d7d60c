//! Values of expressions. JSON of the payload stays unparsed text until an expression reads its members.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::number::Number;

/// Maximum depth of comparison; values that are nested deeper count as different.
const MAX_DEPTH: usize = 64;

/// A value of AWS IoT SQL.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// No value: omitted from objects; the result of most functions for unusable arguments.
    Undefined,
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'a, str>),
    Array(Vec<Value<'a>>),
    /// Members in order; of duplicate keys, the last one counts.
    Object(Vec<(String, Value<'a>)>),
    /// Unparsed valid JSON, in the publisher's spelling.
    Json(Cow<'a, str>),
    /// A payload that is not JSON.
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Value::Text(text.into())
    }

    /// Parses the outermost level of JSON text; its members stay unparsed.
    pub fn parse_shallow(self) -> Self {
        match self {
            Value::Json(Cow::Borrowed(json)) => parse_json(json, &|raw: &'a RawValue| Cow::Borrowed(raw.get())),
            Value::Json(Cow::Owned(json)) => parse_json(&json, &|raw: &RawValue| Cow::Owned(raw.get().to_owned())),
            other => other,
        }
    }

    /// The member of an object; `Undefined` for other values and missing members.
    pub fn member(self, key: &str) -> Self {
        match self.parse_shallow() {
            Value::Object(members) => {
                let found = members.into_iter().rev().find(|(name, _)| name == key);
                found.map_or(Value::Undefined, |(_, value)| value)
            }
            _ => Value::Undefined,
        }
    }

    /// Sets the value at a path of an object; replaces an existing value.
    pub fn set(members: &mut Vec<(String, Value<'a>)>, path: &[String], value: Value<'a>) {
        let Some((key, rest)) = path.split_first() else { return };
        let position = members.iter().rposition(|(name, _)| name == key);
        let value = if rest.is_empty() {
            value
        } else {
            let existing =
                position.and_then(|i| members.get(i)).map_or(Value::Undefined, |(_, existing)| existing.clone());
            let mut inner = match existing.parse_shallow() {
                Value::Object(inner) => inner,
                _ => Vec::new(),
            };
            Self::set(&mut inner, rest, value);
            Value::Object(inner)
        };
        match position.and_then(|i| members.get_mut(i)) {
            Some((_, existing)) => *existing = value,
            None => members.push((key.clone(), value)),
        }
    }

    /// The standard conversion to String of AWS IoT SQL.
    pub fn to_text(&self) -> Option<Cow<'a, str>> {
        match self {
            Value::Text(text) => Some(text.clone()),
            Value::Bool(b) => Some(if *b { "true" } else { "false" }.into()),
            Value::Number(n) => Some(n.to_string().into()),
            Value::Undefined | Value::Null | Value::Bytes(_) => None,
            Value::Array(_) | Value::Object(_) => Some(strip_whitespace(&self.to_json()).into()),
            Value::Json(json) => match json.as_bytes().first() {
                Some(b'{' | b'[') => Some(strip_whitespace(json).into()),
                _ => self.clone().parse_shallow().to_text(),
            },
        }
    }

    /// The standard conversion to Decimal of AWS IoT SQL.
    pub fn to_number(&self) -> Option<Number> {
        match self {
            Value::Number(n) => Some(n.clone()),
            Value::Text(text) => Number::from_text(text),
            Value::Json(_) => match self.clone().parse_shallow() {
                Value::Json(_) => None,
                parsed => parsed.to_number(),
            },
            _ => None,
        }
    }

    /// The standard conversion to Boolean of AWS IoT SQL.
    pub fn to_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(b) => Some(*b),
            Value::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Value::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
            Value::Json(_) => match self.clone().parse_shallow() {
                Value::Json(_) => None,
                parsed => parsed.to_bool(),
            },
            _ => None,
        }
    }

    pub fn is_undefined(&self) -> bool {
        matches!(self, Value::Undefined)
    }

    /// Whether two values are equal; `None` if one is undefined.
    pub fn equals(&self, other: &Self) -> Option<bool> {
        let (a, b) = (self.clone().parse_shallow(), other.clone().parse_shallow());
        (!a.is_undefined() && !b.is_undefined()).then(|| equal(a, b, MAX_DEPTH))
    }

    /// The value as JSON; empty for `Undefined`.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        self.write_json(&mut out);
        out
    }

    fn write_json(&self, out: &mut String) {
        match self {
            Value::Undefined | Value::Bytes(_) => {}
            Value::Null => out.push_str("null"),
            Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
            Value::Number(n) => out.push_str(&n.to_string()),
            Value::Text(text) => write_quoted(text, out),
            Value::Json(json) => out.push_str(json),
            Value::Array(items) => {
                out.push('[');
                for (i, item) in items.iter().filter(|item| item.is_json()).enumerate() {
                    out.push_str(if i > 0 { "," } else { "" });
                    item.write_json(out);
                }
                out.push(']');
            }
            Value::Object(members) => {
                out.push('{');
                for (i, (key, value)) in members.iter().filter(|(_, value)| value.is_json()).enumerate() {
                    out.push_str(if i > 0 { "," } else { "" });
                    write_quoted(key, out);
                    out.push(':');
                    value.write_json(out);
                }
                out.push('}');
            }
        }
    }

    fn is_json(&self) -> bool {
        !matches!(self, Value::Undefined | Value::Bytes(_))
    }
}

fn equal(a: Value<'_>, b: Value<'_>, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match (a.parse_shallow(), b.parse_shallow()) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Number(a), Value::Number(b)) => a == b,
        (Value::Text(a), Value::Text(b)) => a == b,
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.into_iter().zip(b).all(|(a, b)| equal(a, b, depth))
        }
        (Value::Object(a), Value::Object(b)) => {
            let (a, mut b) = (BTreeMap::from_iter(a), BTreeMap::from_iter(b));
            a.len() == b.len() && a.into_iter().all(|(key, a)| b.remove(&key).is_some_and(|b| equal(a, b, depth)))
        }
        _ => false,
    }
}

fn parse_json<'j, 'v>(json: &'j str, part: &dyn Fn(&'j RawValue) -> Cow<'v, str>) -> Value<'v> {
    let parsed = match json.trim_start().as_bytes().first() {
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
    // Valid JSON may contain half of a surrogate pair, which no Rust string can hold.
    parsed.unwrap_or(Value::Undefined)
}

/// The unparsed members of an object, in order.
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

fn write_quoted(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

/// JSON without whitespace between its tokens.
fn strip_whitespace(json: &str) -> String {
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
