//! Trims one shadow message.

use serde_json::value::RawValue;

use crate::trim::options::{ShadowMessageKind, TrimOptions};
use crate::trim::outcome::{TrimError, TrimOutcome};
use crate::trim::{expired, members, scan};

/// Trims one shadow message as the rule selects it: the message's own members and `thing`, `shadow`, `receivedAt`.
///
/// `now_seconds` is in seconds since 1970, like the timestamps in the metadata. A command has expired when it was
/// written more than its `ttl` seconds before, or its `expiresAt` has passed. Trimming takes about the time of copying
/// `state`: the metadata is read only where a command's age is needed.
///
/// # Errors
///
/// [`TrimError`] if the message has no object `state` or no whole number `version`, or a part of it is malformed.
pub fn trim_message(message: &RawValue, options: &TrimOptions, now_seconds: i64) -> Result<TrimOutcome, TrimError> {
    let message = message.get();
    let parts = match options.kind {
        ShadowMessageKind::Delta | ShadowMessageKind::Accepted => Parts::of(message),
        ShadowMessageKind::Documents => {
            let whole = Parts::of(message);
            Parts { token: whole.token, added: whole.added, ..Parts::of(whole.current.unwrap_or_default()) }
        }
    };
    let original_bytes = message.len().saturating_sub(parts.added);
    let (state, version) = parts.required()?;

    let mut body = String::with_capacity(state.len() + 128);
    body.push_str("{\"state\":");
    let before = body.len();
    match options.kind {
        ShadowMessageKind::Delta => write_section(state, parts.metadata, true, options, now_seconds, &mut body)?,
        ShadowMessageKind::Accepted | ShadowMessageKind::Documents => {
            write_sections(state, parts.metadata, options, now_seconds, &mut body)?
        }
    }
    if &body[before..] == "{}" && state != "{}" {
        return Ok(TrimOutcome::NothingLeft);
    }
    parts.write_end(&mut body);
    if body.len() >= original_bytes {
        return Ok(TrimOutcome::NotSmaller);
    }
    Ok(TrimOutcome::Trimmed { body, version, original_bytes })
}

/// The members of a message that trimming needs, as JSON text.
#[derive(Default)]
pub(super) struct Parts<'a> {
    state: Option<&'a str>,
    pub(super) metadata: Option<&'a str>,
    version: Option<&'a str>,
    token: Option<&'a str>,
    current: Option<&'a str>,
    /// The size in bytes of the members that the rule's SELECT added, with their names, quotes, colons and commas.
    pub(super) added: usize,
}

impl<'a> Parts<'a> {
    pub(super) fn of(message: &'a str) -> Self {
        let mut parts = Self::default();
        for (name, value) in scan::members(message) {
            match name {
                "state" => parts.state = Some(value),
                "metadata" => parts.metadata = Some(value),
                "version" => parts.version = Some(value),
                "clientToken" => parts.token = Some(value),
                "current" => parts.current = Some(value),
                "thing" | "shadow" | "receivedAt" | "operation" => parts.added += name.len() + 4 + value.len(),
                _ => {}
            }
        }
        parts
    }

    /// The state, which is an object, and the version.
    pub(super) fn required(&self) -> Result<(&'a str, u64), TrimError> {
        let state = self.state.filter(|state| state.starts_with('{')).ok_or(TrimError::Missing { missing: "state" })?;
        let version = self.version.and_then(|version| version.parse().ok());
        Ok((state, version.ok_or(TrimError::Missing { missing: "version" })?))
    }

    /// Writes what follows the state, and the end of the body.
    pub(super) fn write_end(&self, body: &mut String) {
        body.push_str(",\"version\":");
        body.push_str(self.version.unwrap_or_default());
        if let Some(token) = self.token {
            body.push_str(",\"clientToken\":");
            body.push_str(token);
        }
        body.push('}');
    }
}

/// Writes `{"desired":{..},"reported":{..},"delta":{..}}`, each section by itself. Commands expire in `desired`, and in
/// `delta`, which has the metadata of `desired`: in `reported` they are the device's record of what it has run.
pub(super) fn write_sections(
    state: &str,
    metadata: Option<&str>,
    options: &TrimOptions,
    now_seconds: i64,
    body: &mut String,
) -> Result<(), TrimError> {
    let sections = members::split(state).map_err(TrimError::Malformed)?;
    let mut out = members::ObjectWriter::new(body);
    for (name, section) in &sections {
        let text = section.get();
        if !text.starts_with('{') {
            // An update that clears a section arrives with null.
            out.raw(name, text);
            continue;
        }
        let commands_expire = matches!(name.as_ref(), "desired" | "delta");
        let described_by = if commands_expire { "desired" } else { name };
        let section_metadata = metadata.and_then(|m| members::get(m, described_by));
        let mut trimmed = String::with_capacity(text.len());
        write_section(text, section_metadata, commands_expire, options, now_seconds, &mut trimmed)?;
        if trimmed != "{}" || text == "{}" {
            out.raw(name, &trimmed);
        }
    }
    out.end();
    Ok(())
}

pub(super) fn write_section(
    state: &str,
    metadata: Option<&str>,
    commands_expire: bool,
    options: &TrimOptions,
    now_seconds: i64,
    body: &mut String,
) -> Result<(), TrimError> {
    let live = if commands_expire {
        expired::remove_expired(state, metadata, now_seconds).map_err(TrimError::Malformed)?
    } else {
        None
    };
    let state = live.as_deref().unwrap_or(state);
    options.allow_list.write(state, body).map_err(TrimError::Malformed)
}
