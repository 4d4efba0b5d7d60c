//! A shadow message becomes the few bytes that a constrained device needs.
//!
//! Metadata, timestamps and expired commands go; `state`, `version` and `clientToken` stay, `state` byte for byte as it came. The message is
//! never parsed into a tree: members that stay are borrowed from the text, the rest is stepped over.
//!
//! Message shapes: AWS IoT Developer Guide, "Device Shadow service documents".

mod expired;
mod keep;
mod members;
mod scan;

use serde_json::value::RawValue;

pub use keep::{Keep, KeepError};

/// Which message of a shadow update is trimmed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// `update/delta`: `state` holds the differing members themselves.
    #[default]
    Delta,
    /// `update/accepted`: `state` has the sections `desired` and `reported`.
    Accepted,
    /// `update/documents`: the whole shadow, as `previous` and `current`; only `current` is kept.
    Documents,
}

impl Kind {
    /// `delta`, `accepted` or `documents`, as the last level of the message's topic spells it.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "delta" => Some(Self::Delta),
            "accepted" => Some(Self::Accepted),
            "documents" => Some(Self::Documents),
            _ => None,
        }
    }
}

/// What to trim, and what to keep of it.
#[derive(Clone, Debug, Default)]
pub struct TrimOptions {
    /// The shape of the messages.
    pub kind: Kind,
    /// The paths under `state` that stay.
    pub keep: Keep,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trimmed {
    /// Publish this.
    Message {
        /// `{"state":..,"version":..,"clientToken":..}`; the token only if there was one.
        body: String,
        /// The shadow's version.
        version: u64,
        /// Bytes of the message as the shadow service published it.
        original_bytes: usize,
    },
    /// The message would not be smaller: nothing to publish.
    NotSmaller,
    /// Everything in it was expired, or nothing of it is kept: nothing to publish.
    NothingLeft,
}

/// Why a message cannot be trimmed. A retry does not help.
#[derive(Debug, thiserror::Error)]
pub enum TrimError {
    /// Something in `state` or `metadata` is not of the documented shape.
    #[error("not a shadow message")]
    Malformed(#[source] serde_json::Error),
    /// `state` is absent or not an object, or `version` is absent or no whole number.
    #[error(
        "a shadow message has an object `state` and a whole number `version`; {missing} is missing or of another type"
    )]
    Missing {
        /// Which one.
        missing: &'static str,
    },
}

/// Trims one shadow message, as the rule hands it over: the message's own members and `thing`, `shadow`, `receivedAt`.
///
/// `now_s` is in seconds since 1970, like the timestamps in the metadata; a command is expired when it was written more than its `ttl`
/// seconds before, or its `expiresAt` has passed. The time taken is that of copying `state`: no tree, and metadata is read only where a
/// command needs its age.
pub fn trim(message: &RawValue, options: &TrimOptions, now_s: i64) -> Result<Trimmed, TrimError> {
    let message = message.get();
    let parts = match options.kind {
        Kind::Delta | Kind::Accepted => Parts::of(message),
        Kind::Documents => {
            let whole = Parts::of(message);
            Parts { token: whole.token, added: whole.added, ..Parts::of(whole.current.unwrap_or_default()) }
        }
    };
    let original_bytes = message.len().saturating_sub(parts.added);
    let state = parts.state.filter(|s| s.starts_with('{')).ok_or(TrimError::Missing { missing: "state" })?;
    let version = parts.version.and_then(|v| v.parse().ok()).ok_or(TrimError::Missing { missing: "version" })?;

    let mut body = String::with_capacity(state.len() + 128);
    body.push_str("{\"state\":");
    let before = body.len();
    match options.kind {
        Kind::Delta => write_section(state, parts.metadata, true, options, now_s, &mut body)?,
        Kind::Accepted | Kind::Documents => write_sections(state, parts.metadata, options, now_s, &mut body)?,
    }
    if &body[before..] == "{}" && state != "{}" {
        return Ok(Trimmed::NothingLeft);
    }
    body.push_str(",\"version\":");
    body.push_str(parts.version.unwrap_or_default());
    if let Some(token) = parts.token {
        body.push_str(",\"clientToken\":");
        body.push_str(token);
    }
    body.push('}');
    if body.len() >= original_bytes {
        return Ok(Trimmed::NotSmaller);
    }
    Ok(Trimmed::Message { body, version, original_bytes })
}

/// The members of a message that matter, as text.
#[derive(Default)]
struct Parts<'a> {
    state: Option<&'a str>,
    metadata: Option<&'a str>,
    version: Option<&'a str>,
    token: Option<&'a str>,
    current: Option<&'a str>,
    /// Bytes of the members that the rule's SELECT added, with their names, quotes, colon and comma.
    added: usize,
}

impl<'a> Parts<'a> {
    fn of(message: &'a str) -> Self {
        let mut parts = Self::default();
        for (name, value) in scan::members(message) {
            match name {
                "state" => parts.state = Some(value),
                "metadata" => parts.metadata = Some(value),
                "version" => parts.version = Some(value),
                "clientToken" => parts.token = Some(value),
                "current" => parts.current = Some(value),
                "thing" | "shadow" | "receivedAt" => parts.added += name.len() + 4 + value.len(),
                _ => {}
            }
        }
        parts
    }
}

/// `{"desired":{..},"reported":{..}}`: each section by itself; commands expire in `desired` only, a report of one is history.
fn write_sections(
    state: &str,
    metadata: Option<&str>,
    options: &TrimOptions,
    now_s: i64,
    body: &mut String,
) -> Result<(), TrimError> {
    let sections = members::of(state).map_err(TrimError::Malformed)?;
    let mut out = members::Writer::new(body);
    for (name, section) in &sections {
        let text = section.get();
        if !text.starts_with('{') {
            // A section that was cleared arrives as null.
            out.raw(name, text);
            continue;
        }
        let at = metadata.and_then(|m| members::get(m, name));
        let mut trimmed = String::with_capacity(text.len());
        write_section(text, at, name == "desired", options, now_s, &mut trimmed)?;
        if trimmed != "{}" || text == "{}" {
            out.raw(name, &trimmed);
        }
    }
    out.end();
    Ok(())
}

fn write_section(
    state: &str,
    metadata: Option<&str>,
    commands_expire: bool,
    options: &TrimOptions,
    now_s: i64,
    body: &mut String,
) -> Result<(), TrimError> {
    let cleaned = match metadata {
        _ if !commands_expire => None,
        metadata => expired::remove(state, metadata, now_s).map_err(TrimError::Malformed)?,
    };
    let state = cleaned.as_deref().unwrap_or(state);
    options.keep.write(state, body).map_err(TrimError::Malformed)
}

#[cfg(test)]
mod tests;
