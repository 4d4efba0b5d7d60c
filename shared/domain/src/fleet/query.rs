//! `FleetQuery`: a query of the AWS IoT fleet index that selects the things of a command.

use std::fmt;

/// A query of the index `AWS_Things`: 1 to 1000 characters (AWS IoT API Reference, `SearchIndex`). AWS checks its
/// syntax.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetQuery(String);

/// A text that cannot be a query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a query must be 1 to {} characters, without control characters and not all blank: {found}",
    FleetQuery::MAX_CHARACTERS
)]
pub struct FleetQueryError {
    found: QueryFault,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum QueryFault {
    Blank,
    Length(usize),
    Control(char),
}

impl fmt::Display for QueryFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blank => f.write_str("it is blank"),
            Self::Length(length) => write!(f, "it has {length}"),
            Self::Control(character) => write!(f, "it has {character:?}"),
        }
    }
}

impl FleetQuery {
    /// The query that finds every thing of the account.
    pub const EVERY_THING: &str = "thingName:*";
    const MAX_CHARACTERS: usize = 1000;

    /// Checks the length and the characters of a query.
    ///
    /// # Errors
    /// The text is blank, longer than 1000 characters, or has a control character.
    pub fn parse(query: &str) -> Result<Self, FleetQueryError> {
        let refused = |found| Err(FleetQueryError { found });
        let length = query.chars().count();
        if length > Self::MAX_CHARACTERS {
            return refused(QueryFault::Length(length));
        }
        if let Some(control) = query.chars().find(|c| c.is_control()) {
            return refused(QueryFault::Control(control));
        }
        if query.trim().is_empty() {
            return refused(QueryFault::Blank);
        }
        Ok(Self(query.to_owned()))
    }

    /// The query, unchanged.
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
    fn a_refused_query_states_the_limits() {
        let error = |query: &str| FleetQuery::parse(query).unwrap_err().to_string();
        let limits = "a query must be 1 to 1000 characters, without control characters and not all blank";
        assert_eq!(error(""), format!("{limits}: it is blank"));
        assert_eq!(error(" \u{a0} "), format!("{limits}: it is blank"));
        assert_eq!(error(&"x".repeat(1001)), format!("{limits}: it has 1001"));
        assert_eq!(error("thingName:a\nOR b"), format!("{limits}: it has '\\n'"));
        assert_eq!(error("\u{85}"), format!("{limits}: it has '\\u{{85}}'"));
    }

    #[test]
    fn the_limit_counts_characters_not_bytes() {
        assert!(FleetQuery::parse(&"ü".repeat(1000)).is_ok());
        assert!(FleetQuery::parse(&"ü".repeat(1001)).is_err());
    }

    proptest! {
        #[test]
        fn a_valid_query_is_kept_unchanged(query in "[^\\p{C}]{0,20}[a-z:*\"]") {
            let parsed = FleetQuery::parse(&query).unwrap();
            prop_assert_eq!(parsed.as_str(), query);
        }
    }
}
