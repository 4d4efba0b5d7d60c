//! A query of the fleet index, which names things by what they are.

use std::fmt;

/// What is asked of the index of all things (`AWS_Things`): 1 to 1000 characters, as AWS has it (API reference,
/// `SearchIndex`). Whether it parses, AWS decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetQuery(String);

/// A query that is not one, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a query must be 1 to {} characters, without control characters and not all blank: {found}",
    FleetQuery::LONGEST
)]
pub struct FleetQueryError {
    found: Found,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Found {
    Blank,
    Length(usize),
    Control(char),
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blank => f.write_str("it is blank"),
            Self::Length(length) => write!(f, "it has {length}"),
            Self::Control(character) => write!(f, "it has {character:?}"),
        }
    }
}

impl FleetQuery {
    const LONGEST: usize = 1000;

    /// The query, if it may be one.
    pub fn parse(query: &str) -> Result<Self, FleetQueryError> {
        let refused = |found| Err(FleetQueryError { found });
        let length = query.chars().count();
        if length > Self::LONGEST {
            return refused(Found::Length(length));
        }
        if let Some(control) = query.chars().find(|c| c.is_control()) {
            return refused(Found::Control(control));
        }
        if query.trim().is_empty() {
            return refused(Found::Blank);
        }
        Ok(Self(query.to_owned()))
    }

    /// The query as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FleetQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_refused_query_says_what_would_be_right() {
        let error = |query: &str| FleetQuery::parse(query).unwrap_err().to_string();
        let right = "a query must be 1 to 1000 characters, without control characters and not all blank";
        assert_eq!(error(""), format!("{right}: it is blank"));
        assert_eq!(error(" \u{a0} "), format!("{right}: it is blank"));
        assert_eq!(error(&"x".repeat(1001)), format!("{right}: it has 1001"));
        assert_eq!(error("thingName:a\nOR b"), format!("{right}: it has '\\n'"));
        assert_eq!(error("\u{85}"), format!("{right}: it has '\\u{{85}}'"));
    }

    #[test]
    fn characters_count_and_not_their_bytes() {
        assert!(FleetQuery::parse(&"ü".repeat(1000)).is_ok());
        assert!(FleetQuery::parse(&"ü".repeat(1001)).is_err());
    }

    proptest! {
        #[test]
        fn what_may_be_a_query_is_kept_as_it_is(query in "[^\\p{C}]{0,20}[a-z:*\"]") {
            let parsed = FleetQuery::parse(&query).unwrap();
            prop_assert_eq!(parsed.as_str(), query);
        }
    }
}
