//! Names of things, thing groups, shadows and commands: each is parsed once, and valid from then on.

use std::fmt;

/// Why a name is refused: its length, or a character that it must not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} must be 1 to {max_length} characters of {alphabet}: {found}")]
pub struct NameError {
    kind: &'static str,
    max_length: usize,
    alphabet: &'static str,
    found: Found,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Found {
    Length(usize),
    Character(char),
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(0) => f.write_str("it is empty"),
            Self::Length(length) => write!(f, "it has {length}"),
            Self::Character(character) => write!(f, "it has {character:?}"),
        }
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $max_length:literal, $alphabet:literal, $punctuation:pat) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Parses a name.
            ///
            /// # Errors
            /// [`NameError`] where the name is empty, too long, or has another character than its alphabet.
            pub fn parse(name: &str) -> Result<Self, NameError> {
                let refused = |found| NameError { kind: $kind, max_length: $max_length, alphabet: $alphabet, found };
                if let Some(odd) = name.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, $punctuation))) {
                    return Err(refused(Found::Character(odd)));
                }
                match name.len() {
                    1..=$max_length => Ok(Self(name.to_owned())),
                    length => Err(refused(Found::Length(length))),
                }
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// The name of a thing in the AWS IoT registry.
    ThingName, "a thing name", 128, "a-z, A-Z, 0-9, : _ and -", ':' | '_' | '-'
}

name! {
    /// The name of a thing group in the AWS IoT registry.
    GroupName, "a group name", 128, "a-z, A-Z, 0-9, : _ and -", ':' | '_' | '-'
}

name! {
    /// The name of a named shadow.
    ShadowName, "a shadow name", 64, "a-z, A-Z, 0-9, : _ and -", ':' | '_' | '-'
}

name! {
    /// The name of an operation that the device knows, such as `reboot`.
    CommandName, "a command name", 64, "a-z, A-Z, 0-9, : . _ and -", ':' | '.' | '_' | '-'
}

impl ShadowName {
    /// `cmd`: the shadow that holds commands unless the caller names another. A thing that has a shadow of this name
    /// declares that its device takes commands there.
    pub fn commands() -> Self {
        Self("cmd".to_owned())
    }
}

/// Parses the name of a lane, which has the form of a command's name.
pub(crate) fn lane(name: &str) -> Result<String, NameError> {
    CommandName::parse(name).map(|CommandName(name)| name).map_err(|error| NameError { kind: "a lane's name", ..error })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn error_of_a_name_states_what_is_allowed() {
        let error = |name: &str| ThingName::parse(name).unwrap_err().to_string();
        assert_eq!(error(""), "a thing name must be 1 to 128 characters of a-z, A-Z, 0-9, : _ and -: it is empty");
        assert!(error("pump/7").ends_with("it has '/'"));
        assert!(error("pümp").ends_with("it has 'ü'"));
        assert!(error(&"x".repeat(129)).ends_with("it has 129"));
        assert!(GroupName::parse("all/pumps").unwrap_err().to_string().starts_with("a group name must be 1 to 128 "));
        assert!(CommandName::parse("valve.open").is_ok());
        assert!(ThingName::parse("valve.open").is_err());
        assert!(ShadowName::parse(&"x".repeat(65)).is_err());
    }

    proptest! {
        #[test]
        fn every_name_of_the_registry_is_accepted(name in "[a-zA-Z0-9:_-]{1,128}") {
            let (thing, group) = (ThingName::parse(&name).unwrap(), GroupName::parse(&name).unwrap());
            prop_assert_eq!((thing.as_str(), group.as_str()), (name.as_str(), name.as_str()));
        }

        #[test]
        fn characters_that_change_a_topic_are_refused(name in ".*[/+#$\u{0}\n].*") {
            prop_assert!(ThingName::parse(&name).is_err());
            prop_assert!(GroupName::parse(&name).is_err());
            prop_assert!(ShadowName::parse(&name).is_err());
        }
    }
}
