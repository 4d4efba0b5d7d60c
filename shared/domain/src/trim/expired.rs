//! Commands in a shadow whose time has passed: they are never handed on.
//!
//! Two dialects. `command: [{"<name>": {.., "ttl": seconds}}]`: the age is the time since it was written, which the metadata tells.
//! `c: {"<execution id>": {.., "expiresAt": seconds since 1970}}`: each by itself.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::members;

/// `state` without its expired commands; `None` when there is nothing to remove.
pub(super) fn remove(state: &str, metadata: Option<&str>, now_s: i64) -> Result<Option<String>, serde_json::Error> {
    // Most shadow messages carry no command: look for the names before taking the text apart.
    if !state.contains("\"command\"") && !state.contains("\"c\"") {
        return Ok(None);
    }
    let mut removed = false;
    let mut body = String::with_capacity(state.len());
    let mut out = members::Writer::new(&mut body);
    for (name, value) in &members::of(state)? {
        let left = match name.as_ref() {
            "command" => array(value.get(), metadata.and_then(|m| members::get(m, "command")), now_s),
            "c" => map(value.get(), now_s),
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

/// The array without its expired entries, empty text when none is left; `None` when all stay or it is not of this dialect.
fn array(commands: &str, metadata: Option<&str>, now_s: i64) -> Option<String> {
    let commands: Vec<&RawValue> = serde_json::from_str(commands).ok()?;
    let written: Vec<&RawValue> = metadata.and_then(|m| serde_json::from_str(m).ok()).unwrap_or_default();
    let stays = |(n, command): &(usize, &&RawValue)| {
        let written = written.get(*n).and_then(|at| newest(at.get()));
        !entries(command.get()).any(|entry| entry.is_expired(written, now_s))
    };
    let left: Vec<&str> = commands.iter().enumerate().filter(stays).map(|(_, command)| command.get()).collect();
    match left.len() {
        0 if !commands.is_empty() => Some(String::new()),
        n if n == commands.len() => None,
        _ => Some(format!("[{}]", left.join(","))),
    }
}

/// The map without its expired entries, empty text when none is left; `None` when all stay or it is not of this dialect.
fn map(commands: &str, now_s: i64) -> Option<String> {
    let commands = members::of(commands).ok()?;
    let mut body = String::new();
    let mut out = members::Writer::new(&mut body);
    let mut left = 0;
    for (id, command) in &commands {
        let entry: Option<Entry> = serde_json::from_str(command.get()).ok();
        if !entry.is_some_and(|entry| entry.is_expired(None, now_s)) {
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

/// What tells when a command expires; other members are skipped, and one of another type does not count.
#[derive(Deserialize)]
struct Entry {
    #[serde(default, deserialize_with = "number")]
    ttl: Option<f64>,
    #[serde(default, rename = "expiresAt", deserialize_with = "number")]
    expires_at: Option<f64>,
}

impl Entry {
    fn is_expired(&self, written_s: Option<i64>, now_s: i64) -> bool {
        let now = now_s as f64;
        self.expires_at.is_some_and(|at| now > at)
            || matches!((self.ttl, written_s), (Some(ttl), Some(written)) if now > written as f64 + ttl)
    }
}

/// `{"<name>": entry}`: normally one name.
fn entries(command: &str) -> impl Iterator<Item = Entry> {
    members::of(command).unwrap_or_default().into_iter().filter_map(|(_, entry)| serde_json::from_str(entry.get()).ok())
}

fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    Ok(serde_json::from_str(raw.get()).ok())
}

/// The newest `timestamp` anywhere in a piece of shadow metadata.
fn newest(metadata: &str) -> Option<i64> {
    serde_json::from_str::<Newest>(metadata).ok()?.0
}

struct Newest(Option<i64>);

impl<'de> Deserialize<'de> for Newest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Walk;
        impl<'de> Visitor<'de> for Walk {
            type Value = Newest;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("shadow metadata")
            }
            fn visit_i64<E>(self, n: i64) -> Result<Newest, E> {
                Ok(Newest(Some(n)))
            }
            fn visit_u64<E>(self, n: u64) -> Result<Newest, E> {
                Ok(Newest(i64::try_from(n).ok()))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Newest, A::Error> {
                let mut newest = None;
                while let Some(IgnoredAny) = map.next_key()? {
                    newest = newest.max(map.next_value::<Newest>()?.0);
                }
                Ok(Newest(newest))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Newest, A::Error> {
                let mut newest = None;
                while let Some(Newest(at)) = seq.next_element()? {
                    newest = newest.max(at);
                }
                Ok(Newest(newest))
            }
        }
        deserializer.deserialize_any(Walk)
    }
}
