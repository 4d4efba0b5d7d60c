//! Who made a change: a caller of the API, one of the functions, or the device.

use std::fmt;

/// Who made a change, as the history of an execution records it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Actor(String);

impl Actor {
    /// A change rewrites the whole row, so its history stays small.
    const MAX_BYTES: usize = 160;

    /// The device of the execution.
    pub fn device() -> Self {
        Self("device".to_owned())
    }

    /// A Lambda function of the system, by the name of its folder, such as `track-command`.
    pub fn function(name: &'static str) -> Self {
        Self(name.to_owned())
    }

    /// A caller of the API, by the ARN that AWS has authenticated. Control characters and `|`, which separates the
    /// fields of a stored history entry, become `_`; the name is cut after 160 bytes.
    pub fn caller(name: &str) -> Self {
        let clean: String = name.chars().map(|c| if c.is_control() || c == '|' { '_' } else { c }).collect();
        Self(clean[..clean.floor_char_boundary(Self::MAX_BYTES)].to_owned())
    }

    /// The actor as it was stored.
    pub(crate) fn from_stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The name, as it is stored and shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
