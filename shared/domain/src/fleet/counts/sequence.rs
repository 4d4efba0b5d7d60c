//! Where in a shard of a stream a record is.

use std::fmt;

/// The `SequenceNumber` of a DynamoDB stream: up to 40 decimal digits, which grow from record to record of a shard, and from a shard to
/// its children.
///
/// Source: DynamoDB Streams API, `StreamRecord.SequenceNumber`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SequenceNumber(String);

/// A sequence number that is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sequence number is 1 to {} decimal digits, not {shown:?}", SequenceNumber::DIGITS)]
pub struct SequenceError {
    shown: String,
}

impl SequenceNumber {
    const DIGITS: usize = 40;

    /// The number, if it is one: as a stream or a table has it.
    pub fn parse(text: &str) -> Result<Self, SequenceError> {
        let right = (1..=Self::DIGITS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if !right {
            return Err(SequenceError { shown: text.chars().take(64).collect() });
        }
        Ok(Self(format!("{text:0>width$}", width = Self::DIGITS)))
    }

    /// The number as it is stored: always 40 digits, so that it is compared as text, in a condition too. A stream that is told of a
    /// record has to be told in its own words: not with this, but with the text that the record came with.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
