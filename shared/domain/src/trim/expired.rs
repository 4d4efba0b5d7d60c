//! Removes expired commands from a shadow's state, in both dialects of commands.
//!
//! - `command: [{"<name>": {.., "ttl": seconds}}]`: its age counts from its timestamp in the metadata.
//! - `c: {"<execution id>": {.., "expiresAt": seconds since 1970}}`.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::trim::members;

/// `state` without its expired commands; `None` if none has expired.
pub(super) fn remove_expired(
    state: &str,
    metadata: Option<&str>,
    now_seconds: i64,
) -> Result<Option<String>, serde_json::Error> {
    // Most shadow messages hold no command, and searching for the names is much faster than splitting the text.
    if !state.contains("\"command\"") && !state.contains("\"c\"") {
        return Ok(None);
    }
    let mut removed = false;
    let mut body = String::with_capacity(state.len());
    let mut out = members::ObjectWriter::new(&mut body);
    for (name, value) in &members::split(state)? {
        let left = match name.as_ref() {
            "command" => live_array(value.get(), metadata.and_then(|m| members::get(m, "command")), now_seconds),
            "c" => live_map(value.get(), now_seconds),
            _ => None,
        };
        match left {
            None => out.raw(name, value.get()),
            Some(left) => {
                removed = true;
                if !left.is_empty() {
                    out.raw(name, &left);
                }
            }
        }
    }
    out.end();
    Ok(removed.then_some(body))
}

/// The array without its expired entries: an empty text if none is left, `None` if none has expired or the value is not
/// of this dialect.
fn live_array(commands: &str, metadata: Option<&str>, now_seconds: i64) -> Option<String> {
    let commands: Vec<&RawValue> = serde_json::from_str(commands).ok()?;
    let written: Vec<&RawValue> = metadata.and_then(|m| serde_json::from_str(m).ok()).unwrap_or_default();
    let is_live = |(n, command): &(usize, &&RawValue)| {
        let written = written.get(*n).and_then(|at| newest_timestamp(at.get()));
        !expiries(command.get()).any(|expiry| expiry.is_expired(written, now_seconds))
    };
    let left: Vec<&str> = commands.iter().enumerate().filter(is_live).map(|(_, command)| command.get()).collect();
    match left.len() {
        0 if !commands.is_empty() => Some(String::new()),
        n if n == commands.len() => None,
        _ => Some(format!("[{}]", left.join(","))),
    }
}

/// The map without its expired members, with the same results.
fn live_map(commands: &str, now_seconds: i64) -> Option<String> {
    let commands = members::split(commands).ok()?;
    let mut body = String::new();
    let mut out = members::ObjectWriter::new(&mut body);
    let mut left = 0;
    for (id, command) in &commands {
        let expiry: Option<Expiry> = serde_json::from_str(command.get()).ok();
        if !expiry.is_some_and(|expiry| expiry.is_expired(None, now_seconds)) {
            out.raw(id, command.get());
            left += 1;
        }
    }
    out.end();
    match left {
        0 if !commands.is_empty() => Some(String::new()),
        n if n == commands.len() => None,
        _ => Some(body),
    }
}

/// The members of a command that say when it expires. A member that is not a number is ignored.
#[derive(Deserialize)]
struct Expiry {
    #[serde(default, deserialize_with = "number_or_none")]
    ttl: Option<f64>,
    #[serde(default, rename = "expiresAt", deserialize_with = "number_or_none")]
    expires_at: Option<f64>,
}

impl Expiry {
    fn is_expired(&self, written_at: Option<i64>, now_seconds: i64) -> bool {
        let now = now_seconds as f64;
        self.expires_at.is_some_and(|at| now > at)
            || matches!((self.ttl, written_at), (Some(ttl), Some(written)) if now > written as f64 + ttl)
    }
}

/// The expiries of an entry `{"<name>": {..}}`, which normally has one name.
fn expiries(entry: &str) -> impl Iterator<Item = Expiry> {
    members::split(entry)
        .unwrap_or_default()
        .into_iter()
        .filter_map(|(_, command)| serde_json::from_str(command.get()).ok())
}

fn number_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    Ok(serde_json::from_str(raw.get()).ok())
}

/// The newest `timestamp` anywhere in the metadata of a command.
fn newest_timestamp(metadata: &str) -> Option<i64> {
    serde_json::from_str::<NewestTimestamp>(metadata).ok()?.0
}

struct NewestTimestamp(Option<i64>);

impl<'de> Deserialize<'de> for NewestTimestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TimestampVisitor;
        impl<'de> Visitor<'de> for TimestampVisitor {
            type Value = NewestTimestamp;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("shadow metadata")
            }
            fn visit_i64<E>(self, n: i64) -> Result<NewestTimestamp, E> {
                Ok(NewestTimestamp(Some(n)))
            }
            fn visit_u64<E>(self, n: u64) -> Result<NewestTimestamp, E> {
                Ok(NewestTimestamp(i64::try_from(n).ok()))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<NewestTimestamp, A::Error> {
                let mut newest = None;
                while let Some(IgnoredAny) = map.next_key()? {
                    newest = newest.max(map.next_value::<NewestTimestamp>()?.0);
                }
                Ok(NewestTimestamp(newest))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<NewestTimestamp, A::Error> {
                let mut newest = None;
                while let Some(NewestTimestamp(at)) = seq.next_element()? {
                    newest = newest.max(at);
                }
                Ok(NewestTimestamp(newest))
            }
        }
        deserializer.deserialize_any(TimestampVisitor)
    }
}
