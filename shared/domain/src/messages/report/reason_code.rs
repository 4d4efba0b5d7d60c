//! The reason code that a device reports.

use std::fmt;

/// A device's reason code: 1 to 64 of `A-Z`, `0-9`, `_` and `-`, as AWS IoT Commands defines it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReasonCode(String);

impl ReasonCode {
    const MAX_CHARS: usize = 64;

    /// The code closest to this word: upper case, `_` for every other character, cut at 64. `None` if no letter or
    /// digit is left.
    pub fn clean(word: &str) -> Option<Self> {
        let to_allowed = |c: char| match c.to_ascii_uppercase() {
            c @ ('A'..='Z' | '0'..='9' | '_' | '-') => c,
            _ => '_',
        };
        let code: String = word.trim().chars().take(Self::MAX_CHARS).map(to_allowed).collect();
        code.contains(|c: char| c.is_ascii_alphanumeric()).then_some(Self(code))
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_converted_to_allowed_characters() {
        let clean = |word: &str| ReasonCode::clean(word).map(|code| code.to_string());
        assert_eq!(clean("LOW_BATTERY").as_deref(), Some("LOW_BATTERY"));
        assert_eq!(clean(" low battery\n").as_deref(), Some("LOW_BATTERY"));
        assert_eq!(clean("élan 9").as_deref(), Some("_LAN_9"));
        assert_eq!(clean(&"x".repeat(100)).map(|code| code.len()), Some(64));
        assert_eq!(clean("  "), None);
        assert_eq!(clean("!?"), None);
    }
}
