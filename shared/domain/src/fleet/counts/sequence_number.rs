//! `SequenceNumber`: the place of a record in a shard of a DynamoDB stream.

use std::fmt;

/// Up to 40 decimal digits, which grow from record to record of a shard, and from a shard to its children.
///
/// Source: DynamoDB Streams API, `StreamRecord.SequenceNumber`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SequenceNumber(String);

/// A text that is not a sequence number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sequence number is 1 to {} decimal digits, not {shown:?}", SequenceNumber::MAX_DIGITS)]
pub struct SequenceError {
    shown: String,
}

impl SequenceNumber {
    const MAX_DIGITS: usize = 40;

    /// Parses a sequence number as a stream or the table has it.
    ///
    /// # Errors
    /// The text is not 1 to 40 decimal digits.
    pub fn parse(text: &str) -> Result<Self, SequenceError> {
        let is_valid = (1..=Self::MAX_DIGITS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_valid {
            return Err(SequenceError { shown: text.chars().take(64).collect() });
        }
        Ok(Self(format!("{text:0>width$}", width = Self::MAX_DIGITS)))
    }

    /// The stored form: padded to 40 digits, so that conditions can compare it as text. It must not be returned to the
    /// stream as a failed record: that takes the unpadded text of the record.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_sequence_number_has_1_to_40_digits() {
        let shown = |text: &str| SequenceNumber::parse(text).map(|number| number.to_string());
        assert_eq!(shown("111").unwrap(), format!("{}111", "0".repeat(37)));
        assert_eq!(shown(&"9".repeat(40)).unwrap(), "9".repeat(40));
        for wrong in ["", "-1", "+1", " 1", "1.0", "0x1", "\u{661}", &"9".repeat(41)] {
            assert!(shown(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(shown("1a").unwrap_err().to_string(), "a sequence number is 1 to 40 decimal digits, not \"1a\"");
    }

    proptest! {
        #[test]
        fn the_order_of_texts_is_the_order_of_numbers(a in "[0-9]{1,38}", b in "[0-9]{1,38}") {
            let (left, right) = (SequenceNumber::parse(&a).unwrap(), SequenceNumber::parse(&b).unwrap());
            prop_assert_eq!(left.cmp(&right), a.parse::<u128>().unwrap().cmp(&b.parse().unwrap()));
            prop_assert_eq!(left.as_str().cmp(right.as_str()), left.cmp(&right));
            prop_assert_eq!(SequenceNumber::parse(left.as_str()), Ok(left));
        }
    }
}
