//! The lane that a command joins: its name, and what its failure means for the commands behind it.

use crate::names::{self, NameError, ShadowName};

/// The lane of an execution: an ordered queue of executions on its thing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lane {
    /// The name, unique within the thing.
    pub name: LaneName,
    /// What happens to the executions behind it when it does not succeed.
    pub on_failure: OnFailure,
}

/// The name of a lane: 1 to 64 characters of `a-z`, `A-Z`, `0-9`, `:`, `.`, `_` and `-`. Lanes of shadows have names
/// that begin with `$`, which a caller can't give.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneName(String);

/// What happens to the executions behind one that did not succeed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnFailure {
    /// They are canceled: each may depend on the one before.
    #[default]
    Stop,
    /// The next one is sent.
    Skip,
}

impl LaneName {
    /// The lane of the classic shadow. A command in the dialect `atlas` waits for all before it, and all behind it wait
    /// for its end: another write to the shadow would send the device its entry again, under a newer version. Desired
    /// states do not wait for each other.
    pub fn classic_shadow() -> Self {
        Self("$classic".to_owned())
    }

    /// The lane of the desired states of a shadow. No execution waits in it: a new desired state supersedes the older
    /// ones that set the same attributes, and the others stay in effect.
    pub fn desired_states(shadow: &ShadowName) -> Self {
        Self(format!("$state/{shadow}"))
    }

    /// Parses the name that a caller gives.
    ///
    /// # Errors
    /// [`NameError`] where the name is empty, too long, or has another character than its alphabet.
    pub fn parse(name: &str) -> Result<Self, NameError> {
        names::lane(name).map(Self)
    }

    /// The name as it was stored.
    pub fn from_stored(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it holds nothing but the desired states of a shadow, so that no execution waits in it.
    pub fn holds_only_desired_states(&self) -> bool {
        self.0.starts_with("$state/")
    }
}

impl OnFailure {
    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Skip => "skip",
        }
    }

    /// Parses the word of the API; none for any other word.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "stop" => Some(Self::Stop),
            "skip" => Some(Self::Skip),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_caller_can_name_the_lane_of_a_shadow() {
        let shadow = ShadowName::parse("config").unwrap();
        let (classic, config) = (LaneName::classic_shadow(), LaneName::desired_states(&shadow));
        assert!(LaneName::parse(classic.as_str()).is_err() && LaneName::parse(config.as_str()).is_err());
        assert!(config.holds_only_desired_states() && !classic.holds_only_desired_states());
        assert!(LaneName::parse("valve.7").is_ok());
        assert!(LaneName::parse("").is_err());
        assert!(LaneName::parse("#").is_err());
    }
}
