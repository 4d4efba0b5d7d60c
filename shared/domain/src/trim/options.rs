//! What is trimmed: the kind of shadow message, and the paths of its state that are kept.

use crate::trim::allow_list::AllowList;

/// Which message of a shadow update is trimmed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ShadowMessageKind {
    /// `update/delta`: `state` holds the differing members themselves.
    #[default]
    Delta,
    /// `update/accepted`: `state` has the sections `desired` and `reported`.
    Accepted,
    /// `update/documents`: the whole shadow, as `previous` and `current`. Only `current` is kept.
    Documents,
}

impl ShadowMessageKind {
    /// Parses `delta`, `accepted` or `documents`, the last level of the message's topic.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "delta" => Some(Self::Delta),
            "accepted" => Some(Self::Accepted),
            "documents" => Some(Self::Documents),
            _ => None,
        }
    }
}

/// The settings of a trimmer.
#[derive(Clone, Debug, Default)]
pub struct TrimOptions {
    /// The kind of the messages.
    pub kind: ShadowMessageKind,
    /// The paths under `state` that are kept.
    pub allow_list: AllowList,
}
