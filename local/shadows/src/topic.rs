//! Shadow names, shadow keys, and the topics of shadow requests.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ShadowError;

const SEPARATOR: char = '~';

/// Identifies a shadow: thing name and, for a named shadow, shadow name. As text: `thing` or `thing~shadow`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ShadowKey {
    thing: String,
    shadow: Option<String>,
}

impl ShadowKey {
    /// A key of checked names.
    ///
    /// # Errors
    /// A name has invalid characters or an invalid length.
    pub fn new(thing: &str, shadow: Option<&str>) -> Result<Self, ShadowError> {
        check_thing(thing)?;
        if shadow.is_some_and(|name| !is_valid_name(name, 64, "$")) {
            return Err(ShadowError::InvalidShadowName);
        }
        Ok(Self { thing: thing.to_owned(), shadow: shadow.map(str::to_owned) })
    }

    /// The key of a thing's classic shadow: the first of the thing's keys in sort order. The name is not checked.
    pub fn classic(thing: &str) -> Self {
        Self { thing: thing.to_owned(), shadow: None }
    }

    /// The thing's name.
    pub fn thing(&self) -> &str {
        &self.thing
    }

    /// The shadow's name; `None` is the classic shadow.
    pub fn shadow(&self) -> Option<&str> {
        self.shadow.as_deref()
    }

    /// The error for a missing shadow; it names a classic shadow by its thing.
    pub fn not_found(&self) -> ShadowError {
        ShadowError::NotFound(self.shadow.as_ref().unwrap_or(&self.thing).clone())
    }

    /// The topic of requests to this shadow; answers are published below it.
    pub fn topic(&self, operation: Operation) -> String {
        let (thing, operation) = (&self.thing, operation.name());
        match &self.shadow {
            None => format!("$aws/things/{thing}/shadow/{operation}"),
            Some(shadow) => format!("$aws/things/{thing}/shadow/name/{shadow}/{operation}"),
        }
    }
}

impl fmt::Display for ShadowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.thing)?;
        match &self.shadow {
            None => Ok(()),
            Some(shadow) => write!(f, "{SEPARATOR}{shadow}"),
        }
    }
}

impl From<ShadowKey> for String {
    fn from(key: ShadowKey) -> Self {
        key.to_string()
    }
}

impl TryFrom<String> for ShadowKey {
    type Error = ShadowError;

    fn try_from(text: String) -> Result<Self, ShadowError> {
        match text.split_once(SEPARATOR) {
            None => Self::new(&text, None),
            Some((thing, shadow)) => Self::new(thing, Some(shadow)),
        }
    }
}

/// Checks a thing name.
///
/// # Errors
/// The name is not `[a-zA-Z0-9:_-]{1,128}`.
pub fn check_thing(thing: &str) -> Result<(), ShadowError> {
    if is_valid_name(thing, 128, "") { Ok(()) } else { Err(ShadowError::InvalidThingName) }
}

fn is_valid_name(name: &str, longest: usize, also: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || ":_-".contains(c) || also.contains(c);
    !name.is_empty() && name.len() <= longest && name.chars().all(allowed)
}

/// An operation on a shadow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Read the document.
    Get,
    /// Merge into the document.
    Update,
    /// Remove the document.
    Delete,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// A parsed request topic; its names are not checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestTopic<'a> {
    /// The thing's name.
    pub thing: &'a str,
    /// The shadow's name; `None` is the classic shadow.
    pub shadow: Option<&'a str>,
    /// The requested operation.
    pub operation: Operation,
}

impl<'a> RequestTopic<'a> {
    /// Parses a topic; `None` for topics of answers and all other topics.
    pub fn parse(topic: &'a str) -> Option<Self> {
        let (thing, rest) = topic.strip_prefix("$aws/things/")?.split_once('/')?;
        let rest = rest.strip_prefix("shadow/")?;
        let (shadow, operation) = match rest.strip_prefix("name/") {
            None => (None, rest),
            Some(named) => named.split_once('/').map(|(shadow, operation)| (Some(shadow), operation))?,
        };
        let operation = match operation {
            "get" => Operation::Get,
            "update" => Operation::Update,
            "delete" => Operation::Delete,
            _ => return None,
        };
        Some(Self { thing, shadow, operation })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_request_topics_are_parsed() {
        let parse = |topic| RequestTopic::parse(topic).map(|t| (t.thing, t.shadow, t.operation));
        assert_eq!(parse("$aws/things/t/shadow/get"), Some(("t", None, Operation::Get)));
        assert_eq!(parse("$aws/things/t/shadow/name/s/update"), Some(("t", Some("s"), Operation::Update)));
        assert_eq!(parse("$aws/things/t/shadow/name/update/delete"), Some(("t", Some("update"), Operation::Delete)));
        assert_eq!(parse("$aws/things/shadow/shadow/get"), Some(("shadow", None, Operation::Get)));
        for other in [
            "$aws/things/t/shadow/update/accepted",
            "$aws/things/t/shadow/update/delta",
            "$aws/things/t/shadow/name/s/update/documents",
            "$aws/things/t/shadow/name/get",
            "$aws/things/t/shadow/s/update",
            "$aws/things/t/shadow",
            "$aws/things/t/jobs/get",
            "things/t/shadow/update",
            "",
        ] {
            assert_eq!(parse(other), None, "{other}");
        }
    }

    #[test]
    fn shadow_key_has_its_topics_and_round_trips_as_text() {
        for (key, topic) in [
            (ShadowKey::new("t:1", None), "$aws/things/t:1/shadow/update"),
            (ShadowKey::new("t:1", Some("$s_-")), "$aws/things/t:1/shadow/name/$s_-/update"),
        ] {
            let key = key.unwrap();
            assert_eq!(key.topic(Operation::Update), topic);
            assert_eq!(ShadowKey::try_from(key.to_string()).unwrap(), key);
        }
    }

    #[test]
    fn names_are_limited_in_characters_and_length() {
        assert!(ShadowKey::new(&"a".repeat(128), Some(&"b".repeat(64))).is_ok());
        for thing in ["", "a b", "a$", "ü", "a~b", &"a".repeat(129)] {
            assert_eq!(ShadowKey::new(thing, None), Err(ShadowError::InvalidThingName), "{thing}");
        }
        for shadow in ["", "a b", "a/b", &"b".repeat(65)] {
            assert_eq!(ShadowKey::new("t", Some(shadow)), Err(ShadowError::InvalidShadowName), "{shadow}");
        }
    }
}
