//! Shadow names, and the topics that belong to one shadow.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ShadowError;

const SEPARATOR: char = '~';

/// Which shadow: a thing's classic one, or one of its named ones. As text `thing` or `thing~shadow`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Key {
    thing: String,
    shadow: Option<String>,
}

impl Key {
    /// Checks both names.
    pub fn new(thing: &str, shadow: Option<&str>) -> Result<Self, ShadowError> {
        check_thing(thing)?;
        if shadow.is_some_and(|name| !is_name(name, 64, "$")) {
            return Err(ShadowError::InvalidShadowName);
        }
        Ok(Self { thing: thing.to_owned(), shadow: shadow.map(str::to_owned) })
    }

    /// The first of a thing's keys in their order. The name is not checked: it is for looking things up.
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

    /// The error for a shadow that is not there: a classic shadow goes by its thing's name.
    pub fn not_found(&self) -> ShadowError {
        ShadowError::NotFound(self.shadow.as_ref().unwrap_or(&self.thing).clone())
    }

    /// The topic of a request to this shadow; answers are published below it.
    pub fn topic(&self, operation: Operation) -> String {
        let (thing, operation) = (&self.thing, operation.name());
        match &self.shadow {
            None => format!("$aws/things/{thing}/shadow/{operation}"),
            Some(shadow) => format!("$aws/things/{thing}/shadow/name/{shadow}/{operation}"),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.thing)?;
        match &self.shadow {
            None => Ok(()),
            Some(shadow) => write!(f, "{SEPARATOR}{shadow}"),
        }
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.to_string()
    }
}

impl TryFrom<String> for Key {
    type Error = ShadowError;

    fn try_from(text: String) -> Result<Self, ShadowError> {
        match text.split_once(SEPARATOR) {
            None => Self::new(&text, None),
            Some((thing, shadow)) => Self::new(thing, Some(shadow)),
        }
    }
}

/// Checks a thing's name.
pub fn check_thing(thing: &str) -> Result<(), ShadowError> {
    if is_name(thing, 128, "") { Ok(()) } else { Err(ShadowError::InvalidThingName) }
}

fn is_name(name: &str, longest: usize, also: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || ":_-".contains(c) || also.contains(c);
    !name.is_empty() && name.len() <= longest && name.chars().all(allowed)
}

/// What a client asks of a shadow.
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

/// A request topic taken apart; the names are not checked yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestTopic<'a> {
    /// The thing's name.
    pub thing: &'a str,
    /// The shadow's name, if it is a named one.
    pub shadow: Option<&'a str>,
    /// What is asked.
    pub operation: Operation,
}

impl<'a> RequestTopic<'a> {
    /// `None` for every topic that is not a shadow request, the service's own answers among them.
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
    fn only_request_topics_are_requests() {
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
    fn a_key_knows_its_topics_and_survives_being_text() {
        for (key, topic) in [
            (Key::new("t:1", None), "$aws/things/t:1/shadow/update"),
            (Key::new("t:1", Some("$s_-")), "$aws/things/t:1/shadow/name/$s_-/update"),
        ] {
            let key = key.unwrap();
            assert_eq!(key.topic(Operation::Update), topic);
            assert_eq!(Key::try_from(key.to_string()).unwrap(), key);
        }
    }

    #[test]
    fn names_have_their_characters_and_lengths() {
        assert!(Key::new(&"a".repeat(128), Some(&"b".repeat(64))).is_ok());
        for thing in ["", "a b", "a$", "ü", "a~b", &"a".repeat(129)] {
            assert_eq!(Key::new(thing, None), Err(ShadowError::InvalidThingName), "{thing}");
        }
        for shadow in ["", "a b", "a/b", &"b".repeat(65)] {
            assert_eq!(Key::new("t", Some(shadow)), Err(ShadowError::InvalidShadowName), "{shadow}");
        }
    }
}
