//! Between domain values and the items of the tables. Times are in milliseconds, save those that an index or DynamoDB's own
//! expiry reads: those are in seconds.

mod batch;
mod command;
mod execution;
mod fleet;
mod lane;
mod plan;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;

pub(crate) use batch::{
    batch_from_item, batch_key, batch_of_key, batch_to_item, names_from_item, names_to_text, things_key,
};
pub(crate) use command::{command_from_item, command_key, command_to_item};
pub(crate) use execution::{
    command_of_duplicate, due_entry, duplicate_to_item, execution_from_item, execution_key, execution_to_item,
    key_from_item, shown_key, thing_key,
};
pub(crate) use fleet::control_attributes;
pub(crate) use lane::{lane_from_item, lane_key};
pub(crate) use plan::{command_of_key, page_key, plan_from_item, plan_key, plan_to_item};

pub(crate) type Item = HashMap<String, AttributeValue>;

/// An attribute that is not as this crate writes it.
#[derive(Debug, thiserror::Error)]
#[error("attribute {attribute} is missing or not as it is written")]
pub(crate) struct Unreadable {
    attribute: &'static str,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
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

/// Reads the attributes of one item; what is absent is none, what is there has to be right.
struct Reader<'a>(&'a Item);

impl<'a> Reader<'a> {
    fn text(&self, attribute: &'static str) -> Result<Option<&'a str>, Unreadable> {
        match self.0.get(attribute) {
            None => Ok(None),
            Some(AttributeValue::S(text)) => Ok(Some(text)),
            Some(_) => Err(Unreadable { attribute, source: None }),
        }
    }

    fn number<N>(&self, attribute: &'static str) -> Result<Option<N>, Unreadable>
    where
        N: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>,
    {
        match self.0.get(attribute) {
            None => Ok(None),
            Some(AttributeValue::N(digits)) => {
                digits.parse().map(Some).map_err(|error: N::Err| Unreadable { attribute, source: Some(error.into()) })
            }
            Some(_) => Err(Unreadable { attribute, source: None }),
        }
    }

    fn millis(&self, attribute: &'static str) -> Result<Option<Timestamp>, Unreadable> {
        Ok(self.number(attribute)?.map(Timestamp::from_millis))
    }

    fn parsed<T, E>(&self, attribute: &'static str, parse: impl Fn(&'a str) -> Result<T, E>) -> Result<T, Unreadable>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let found = needed(attribute, self.text(attribute)?)?;
        parse(found).map_err(|error| Unreadable { attribute, source: Some(error.into()) })
    }
}

fn needed<T>(attribute: &'static str, value: Option<T>) -> Result<T, Unreadable> {
    value.ok_or(Unreadable { attribute, source: None })
}

fn after_prefix<'a>(attribute: &'static str, prefix: &str, value: Option<&'a str>) -> Result<&'a str, Unreadable> {
    needed(attribute, value.and_then(|value| value.strip_prefix(prefix)))
}

#[cfg(test)]
mod tests;
