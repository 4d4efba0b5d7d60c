//! Every shadow there is: applies requests and says what the answers are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::document::Document;
use super::merge::timestamps;
use super::request::Update;
use super::topic::Key;
use super::{Limits, ShadowError};

/// For so long a deleted shadow's version count lives on.
const VERSION_OUTLIVES_S: i64 = 48 * 60 * 60;
/// So often what is left of deleted shadows is looked through: often enough that it does not pile up, and so seldom that
/// deleting many does not take the square of their number.
const SWEEP_EVERY_S: i64 = 60 * 60;

/// The shadows, and what is left of the deleted ones.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Store {
    #[serde(skip)]
    limits: Limits,
    shadows: BTreeMap<Key, Document>,
    deleted: BTreeMap<Key, Deleted>,
    #[serde(skip)]
    swept_s: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Deleted {
    /// The deletion counts as a version too.
    version: u64,
    at_s: i64,
}

impl Deleted {
    /// Whether a new shadow of that name still goes on from its version.
    fn counts(self, now_s: i64) -> bool {
        now_s.saturating_sub(self.at_s) < VERSION_OUTLIVES_S
    }
}

/// The answers to an accepted update.
#[derive(Clone, Debug, PartialEq)]
pub struct Updated {
    /// For `update/accepted` and the REST answer.
    pub accepted: Value,
    /// For `update/delta`, as long as desired and reported differ.
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

    /// Takes over the shadows of another store, such as one that was saved, and keeps the limits.
    pub fn replace(&mut self, other: Self) {
        *self = Self { limits: self.limits, ..other };
    }

    /// The whole document, with `delta` where there is one.
    pub fn get(&self, key: &Key, client_token: Option<&str>, now_s: i64) -> Result<Value, ShadowError> {
        let document = self.shadows.get(key).ok_or_else(|| key.not_found())?;
        let mut state = document.state();
        state.extend(document.delta().map(|delta| ("delta".to_owned(), Value::Object(delta.state))));
        let (metadata, version) = (document.metadata(), document.version);
        let answer = json!({ "state": state, "metadata": metadata, "version": version, "timestamp": now_s });
        Ok(with_token(answer, client_token))
    }

    /// Merges an update and counts the version up; a refused update changes nothing.
    pub fn update(&mut self, key: &Key, update: &Update, now_s: i64) -> Result<Updated, ShadowError> {
        let previous = self.shadows.get(key);
        match (update.version, previous) {
            (Some(asked), Some(is)) if asked != is.version => return Err(ShadowError::VersionConflict),
            (Some(asked), None) if asked != 1 => return Err(ShadowError::InvalidVersion),
            _ => {}
        }
        let version = previous.map_or_else(|| self.version_left(key, now_s), |is| is.version).saturating_add(1);
        let current = previous.unwrap_or(&Document::default()).updated(update, version, now_s);
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
        let documents = json!({ "previous": previous.map(whole), "current": whole(&current), "timestamp": now_s });
        let updated = Updated {
            accepted: with_token(accepted, token),
            delta: delta.map(|delta| with_token(delta, token)),
            documents: with_token(documents, token),
        };
        self.deleted.remove(key);
        self.shadows.insert(key.clone(), current);
        Ok(updated)
    }

    /// Removes a shadow. Its version count lives on for 48 hours.
    pub fn delete(&mut self, key: &Key, client_token: Option<&str>, now_s: i64) -> Result<Value, ShadowError> {
        let Document { version, .. } = self.shadows.remove(key).ok_or_else(|| key.not_found())?;
        if now_s.saturating_sub(self.swept_s) >= SWEEP_EVERY_S {
            self.deleted.retain(|_, deleted| deleted.counts(now_s));
            self.swept_s = now_s;
        }
        self.deleted.insert(key.clone(), Deleted { version: version.saturating_add(1), at_s: now_s });
        Ok(with_token(json!({ "version": version, "timestamp": now_s }), client_token))
    }

    /// The names of a thing's named shadows, sorted.
    pub fn named<'a>(&'a self, thing: &'a str) -> impl Iterator<Item = &'a str> {
        // A thing's classic shadow sorts before its named ones, and all of them before the next thing.
        let all = self.shadows.range(Key::classic(thing)..).map(|(key, _)| key);
        all.take_while(move |key| key.thing() == thing).filter_map(Key::shadow)
    }

    fn version_left(&self, key: &Key, now_s: i64) -> u64 {
        let left = self.deleted.get(key).filter(|deleted| deleted.counts(now_s));
        left.map_or(0, |deleted| deleted.version)
    }
}

fn whole(document: &Document) -> Value {
    json!({ "state": document.state(), "metadata": document.metadata(), "version": document.version })
}

/// Adds the client token of the request, if it had one.
pub(super) fn with_token(mut answer: Value, client_token: Option<&str>) -> Value {
    if let Some(token) = client_token {
        answer["clientToken"] = token.into();
    }
    answer
}
