//! Attributes of items: their values, and how they are read back.
//!
//! Instants are in milliseconds since 1970. Only `due_at`, which an index sorts by, and `purge_at`, DynamoDB's TTL
//! attribute, are in seconds.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;

pub(crate) type Item = HashMap<String, AttributeValue>;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// An attribute is missing, or has a value that this crate does not write.
#[derive(Debug, thiserror::Error)]
#[error("attribute {attribute} is missing, or has a value that is never written")]
pub(crate) struct Unreadable {
    pub(super) attribute: &'static str,
    source: Option<Source>,
}

impl Unreadable {
    pub(super) fn new(attribute: &'static str) -> Self {
        Self { attribute, source: None }
    }

    pub(super) fn because(attribute: &'static str, source: impl Into<Source>) -> Self {
        Self { attribute, source: Some(source.into()) }
    }
}

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(crate) fn millis(at: Timestamp) -> AttributeValue {
    number(at.as_millis())
}

/// A flag: the attribute exists only if it is set.
pub(super) fn put_flag(item: &mut Item, attribute: &str, is_set: bool) {
    if is_set {
        item.insert(attribute.to_owned(), AttributeValue::Bool(true));
    }
}

/// Reads the attributes of an item. An attribute that does not exist is none.
pub(super) struct Reader<'a>(pub &'a Item);

impl<'a> Reader<'a> {
    pub fn text(&self, attribute: &'static str) -> Result<Option<&'a str>, Unreadable> {
        match self.0.get(attribute) {
            None => Ok(None),
            Some(AttributeValue::S(text)) => Ok(Some(text)),
            Some(_) => Err(Unreadable::new(attribute)),
        }
    }

    pub fn number<N>(&self, attribute: &'static str) -> Result<Option<N>, Unreadable>
    where
        N: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>,
    {
        match self.0.get(attribute) {
            None => Ok(None),
            Some(AttributeValue::N(digits)) => {
                digits.parse().map(Some).map_err(|error: N::Err| Unreadable::because(attribute, error))
            }
            Some(_) => Err(Unreadable::new(attribute)),
        }
    }

    pub fn millis(&self, attribute: &'static str) -> Result<Option<Timestamp>, Unreadable> {
        Ok(self.number(attribute)?.map(Timestamp::from_millis))
    }

    pub fn flag(&self, attribute: &'static str) -> bool {
        self.0.contains_key(attribute)
    }

    /// A text that has to exist and to parse.
    pub fn parsed<T, E>(
        &self,
        attribute: &'static str,
        parse: impl Fn(&'a str) -> Result<T, E>,
    ) -> Result<T, Unreadable>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let text = needed(attribute, self.text(attribute)?)?;
        parse(text).map_err(|error| Unreadable::because(attribute, error))
    }

    /// A text that has to parse if it exists.
    pub fn parsed_if_exists<T, E>(
        &self,
        attribute: &'static str,
        parse: impl Fn(&'a str) -> Result<T, E>,
    ) -> Result<Option<T>, Unreadable>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        match self.text(attribute)? {
            None => Ok(None),
            Some(_) => self.parsed(attribute, parse).map(Some),
        }
    }

    /// `purge_at`, which every item has, in seconds.
    pub fn purge_at(&self) -> Result<Timestamp, Unreadable> {
        Ok(Timestamp::from_seconds(needed("purge_at", self.number("purge_at")?)?))
    }
}

/// The value of an attribute that has to exist.
pub(super) fn needed<T>(attribute: &'static str, value: Option<T>) -> Result<T, Unreadable> {
    value.ok_or(Unreadable::new(attribute))
}

/// The rest of a key after its prefix.
pub(super) fn after_prefix<'a>(
    attribute: &'static str,
    prefix: &str,
    value: Option<&'a str>,
) -> Result<&'a str, Unreadable> {
    needed(attribute, value.and_then(|value| value.strip_prefix(prefix)))
}
