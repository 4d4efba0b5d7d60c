//! A command: a definition that has an identity and a beginning.

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};

use crate::{CommandId, Definition, Key, Timestamp, execution::RETENTION};

/// What someone asked for, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Which.
    pub id: CommandId,
    /// What.
    pub definition: Definition,
    /// Since when.
    pub created_at: Timestamp,
    /// The body it was asked for with, so that a token can't be used for two different commands.
    pub fingerprint: Fingerprint,
}

impl Command {
    /// Its execution at its thing.
    pub fn key(&self) -> Key {
        Key::of(&self.id, &self.definition.thing)
    }

    /// Must have started by.
    pub fn start_by(&self) -> Timestamp {
        self.created_at.plus_seconds(self.definition.deadlines.ttl())
    }

    /// Must have finished by.
    pub fn finish_by(&self) -> Timestamp {
        self.created_at.plus_seconds(self.definition.deadlines.timeout())
    }

    /// When it may be forgotten.
    pub fn purge_at(&self) -> Timestamp {
        self.finish_by().plus_seconds(RETENTION)
    }
}

/// What tells one body of a request from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The fingerprint of these bytes.
    pub fn of(body: &[u8]) -> Self {
        let mut text = BASE32_NOPAD.encode(&Sha256::digest(body)).to_ascii_lowercase();
        text.truncate(26);
        Self(text)
    }

    /// The fingerprint as it was stored.
    pub fn from_stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The fingerprint as it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
