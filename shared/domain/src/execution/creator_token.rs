//! `CreatorToken`: by which a function recognizes the row that it has stored itself.

use sha2::{Digest, Sha256};

/// The token of a creator: 8 hexadecimal digits of its event's id, which is the same when the event is handled again,
/// and 8 random ones. It is short, since every write of a row pays for its size.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CreatorToken(String);

impl CreatorToken {
    /// The token of a function that handles the event with this id. No other handling draws the same `nonce`.
    pub fn new(event_id: &str, nonce: u64) -> Self {
        Self(format!("{}{:08x}", event_digits(event_id), nonce & 0xffff_ffff))
    }

    /// The token as it was stored.
    pub fn from_stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The token as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether its creator handles the event with this id.
    pub(crate) fn is_of_event(&self, event_id: &str) -> bool {
        self.0.starts_with(&event_digits(event_id))
    }
}

fn event_digits(event_id: &str) -> String {
    Sha256::digest(event_id).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}
