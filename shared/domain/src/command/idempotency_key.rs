//! `IdempotencyKey`: the caller's token for a request. A caller's requests with the same key are for the same
//! command.

/// A valid `Idempotency-Key`: 1 to 255 printable ASCII characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdempotencyKey<'a>(&'a str);

/// Why a text is not an idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Idempotency-Key must be 1 to {} printable ASCII characters", IdempotencyKey::MAX_LENGTH)]
pub struct IdempotencyKeyError;

impl<'a> IdempotencyKey<'a> {
    const MAX_LENGTH: usize = 255;

    /// Checks the length and the characters of a key.
    ///
    /// # Errors
    /// [`IdempotencyKeyError`] where the text is empty, too long, or has a character outside ` ` to `~`.
    pub fn parse(text: &'a str) -> Result<Self, IdempotencyKeyError> {
        let valid =
            (1..=Self::MAX_LENGTH).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if valid { Ok(Self(text)) } else { Err(IdempotencyKeyError) }
    }

    /// The key as text.
    pub const fn as_str(self) -> &'a str {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_printable_ascii_of_at_most_255_characters_is_a_key() {
        let longest = "x".repeat(255);
        for key in ["order 4711/1", " ", "~", longest.as_str()] {
            assert_eq!(IdempotencyKey::parse(key).map(IdempotencyKey::as_str), Ok(key));
        }
        for key in ["", "tab\t", "\u{7f}", "käse", "x".repeat(256).as_str()] {
            assert_eq!(IdempotencyKey::parse(key), Err(IdempotencyKeyError), "{key:?}");
        }
        let limits = "Idempotency-Key must be 1 to 255 printable ASCII characters";
        assert_eq!(IdempotencyKeyError.to_string(), limits);
    }
}
