//! Stores all shadows, applies requests to them, and builds the answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::document::Document;
use super::merge::timestamps;
use super::request::Update;
use super::topic::ShadowKey;
use super::{Limits, ShadowError};

/// Time for which a new shadow continues the version of a deleted one (AWS IoT: 48 hours).
const DELETED_VERSION_SECONDS: i64 = 48 * 60 * 60;
/// Interval between removals of outdated versions of deleted shadows. It bounds their number without scanning them at
/// each delete, which would cost quadratic time for many deletes.
const SWEEP_INTERVAL_SECONDS: i64 = 60 * 60;

/// The shadows, and the versions of deleted ones.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Store {
    #[serde(skip)]
    limits: Limits,
    shadows: BTreeMap<ShadowKey, Document>,
    deleted: BTreeMap<ShadowKey, Deleted>,
    #[serde(skip)]
    swept_s: i64,
}

/// Version and deletion time (seconds since 1970) of a deleted shadow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Deleted {
    /// The deleted version plus one: the deletion counts as a version.
    version: u64,
    at_s: i64,
}

impl Deleted {
    /// Whether a new shadow with this key continues the version.
    fn is_version_kept(self, now_s: i64) -> bool {
        now_s.saturating_sub(self.at_s) < DELETED_VERSION_SECONDS
    }
}

/// The answers to an accepted update.
#[derive(Clone, Debug, PartialEq)]
pub struct Updated {
    /// For `update/accepted` and the REST answer.
    pub accepted: Value,
    /// For `update/delta`, if desired and reported differ.
    pub delta: Option<Value>,
    /// For `update/documents`.
    pub documents: Value,
}

impl Store {
    /// An empty store.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// The limits of every request.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Replaces all shadows by those of another store; keeps the limits.
    pub fn replace(&mut self, other: Self) {
        *self = Self { limits: self.limits, ..other };
    }

    /// The answer to a get: the document, with `delta` if desired and reported differ.
    ///
    /// # Errors
    /// The shadow does not exist.
    pub fn get(&self, key: &ShadowKey, client_token: Option<&str>, now_s: i64) -> Result<Value, ShadowError> {
        let document = self.shadows.get(key).ok_or_else(|| key.not_found())?;
        let mut state = document.state();
        state.extend(document.delta().map(|delta| ("delta".to_owned(), Value::Object(delta.state))));
        let (metadata, version) = (document.metadata(), document.version);
        let answer = json!({ "state": state, "metadata": metadata, "version": version, "timestamp": now_s });
        Ok(with_token(answer, client_token))
    }

    /// Merges an update and increments the version.
    ///
    /// # Errors
    /// The version conflicts, or the document would be too large; then nothing changes.
    pub fn update(&mut self, key: &ShadowKey, update: &Update, now_s: i64) -> Result<Updated, ShadowError> {
        let previous = self.shadows.get(key);
        match (update.version, previous) {
            (Some(expected), Some(actual)) if expected != actual.version => return Err(ShadowError::VersionConflict),
            (Some(expected), None) if expected != 1 => return Err(ShadowError::InvalidVersion),
            _ => {}
        }
        let version =
            previous.map_or_else(|| self.deleted_version(key, now_s), |previous| previous.version).saturating_add(1);
        let current = previous.unwrap_or(&Document::default()).apply_update(update, version, now_s);
        if current.size() > self.limits.max_bytes {
            return Err(ShadowError::TooLarge);
        }

        let token = update.client_token.as_deref();
        let accepted = json!({
            "state": update.state(), "metadata": timestamps(update.state(), now_s),
            "version": version, "timestamp": now_s,
        });
        let delta = current.delta().map(
            |delta| json!({ "state": delta.state, "metadata": delta.metadata, "version": version, "timestamp": now_s }),
        );
        let documents =
            json!({ "previous": previous.map(document_json), "current": document_json(&current), "timestamp": now_s });
        let updated = Updated {
            accepted: with_token(accepted, token),
            delta: delta.map(|delta| with_token(delta, token)),
            documents: with_token(documents, token),
        };
        self.deleted.remove(key);
        self.shadows.insert(key.clone(), current);
        Ok(updated)
    }

    /// Removes a shadow; its version is kept for 48 hours.
    ///
    /// # Errors
    /// The shadow does not exist.
    pub fn delete(&mut self, key: &ShadowKey, client_token: Option<&str>, now_s: i64) -> Result<Value, ShadowError> {
        let Document { version, .. } = self.shadows.remove(key).ok_or_else(|| key.not_found())?;
        if now_s.saturating_sub(self.swept_s) >= SWEEP_INTERVAL_SECONDS {
            self.deleted.retain(|_, deleted| deleted.is_version_kept(now_s));
            self.swept_s = now_s;
        }
        self.deleted.insert(key.clone(), Deleted { version: version.saturating_add(1), at_s: now_s });
        Ok(with_token(json!({ "version": version, "timestamp": now_s }), client_token))
    }

    /// The names of a thing's named shadows, sorted.
    pub fn named_shadows<'a>(&'a self, thing: &'a str) -> impl Iterator<Item = &'a str> {
        // A thing's classic shadow sorts before its named ones, and all of them before the next thing.
        let all = self.shadows.range(ShadowKey::classic(thing)..).map(|(key, _)| key);
        all.take_while(move |key| key.thing() == thing).filter_map(ShadowKey::shadow)
    }

    fn deleted_version(&self, key: &ShadowKey, now_s: i64) -> u64 {
        let left = self.deleted.get(key).filter(|deleted| deleted.is_version_kept(now_s));
        left.map_or(0, |deleted| deleted.version)
    }
}

fn document_json(document: &Document) -> Value {
    json!({ "state": document.state(), "metadata": document.metadata(), "version": document.version })
}

/// Adds the client token of the request, if it had one.
pub(super) fn with_token(mut answer: Value, client_token: Option<&str>) -> Value {
    if let Some(token) = client_token {
        answer["clientToken"] = token.into();
    }
    answer
}
