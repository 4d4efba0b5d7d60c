//! A device's own reason.

use std::fmt;

/// A short word of `A-Z`, `0-9`, `_` and `-`, as AWS IoT Commands has it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReasonCode(String);

impl ReasonCode {
    const LONGEST: usize = 64;

    /// The code that this word comes closest to; none if nothing is left of it.
    pub fn clean(word: &str) -> Option<Self> {
        let fit = |c: char| match c.to_ascii_uppercase() {
            c @ ('A'..='Z' | '0'..='9' | '_' | '-') => c,
            _ => '_',
        };
        let code: String = word.trim().chars().take(Self::LONGEST).map(fit).collect();
        code.contains(|c: char| c.is_ascii_alphanumeric()).then_some(Self(code))
    }

    /// The code as it is written.
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
    fn a_code_is_brought_into_shape() {
        let clean = |word: &str| ReasonCode::clean(word).map(|code| code.to_string());
        assert_eq!(clean("LOW_BATTERY").as_deref(), Some("LOW_BATTERY"));
        assert_eq!(clean(" low battery\n").as_deref(), Some("LOW_BATTERY"));
        assert_eq!(clean("élan 9").as_deref(), Some("_LAN_9"));
        assert_eq!(clean(&"x".repeat(100)).map(|code| code.len()), Some(64));
        assert_eq!(clean("  "), None);
        assert_eq!(clean("!?"), None);
    }
}
