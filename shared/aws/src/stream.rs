//! What a record of a table's stream is about: its key, and the item before and after the change.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{BatchNumber, CommandId};
use serde_json::Value;

use crate::item::{Item, batch_of_key, command_of_key};

/// What of the table of commands has changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Changed {
    /// A command, or its plan.
    Command(CommandId),
    /// How far a batch has come.
    Batch(CommandId, BatchNumber),
}

impl Changed {
    /// What this key, in DynamoDB's JSON, is of; none if nobody sees to such a thing.
    pub fn of(key: &Value) -> Option<Self> {
        let item = item(key)?;
        match item.get("sk")?.as_s().ok()?.as_str() {
            "META" | "PLAN" => command_of_key(&item).ok().map(Self::Command),
            "BATCH" => batch_of_key(&item).ok().map(|(command, batch)| Self::Batch(command, batch)),
            _ => None,
        }
    }
}

/// The item that this is, in DynamoDB's JSON; none if it is no item.
pub(crate) fn item(json: &Value) -> Option<Item> {
    json.as_object()?.iter().map(|(name, value)| Some((name.clone(), attribute(value)?))).collect()
}

fn attribute(value: &Value) -> Option<AttributeValue> {
    let (kind, value) = value.as_object()?.iter().next()?;
    Some(match kind.as_str() {
        "S" => AttributeValue::S(value.as_str()?.to_owned()),
        "N" => AttributeValue::N(value.as_str()?.to_owned()),
        "BOOL" => AttributeValue::Bool(value.as_bool()?),
        "L" => AttributeValue::L(value.as_array()?.iter().map(attribute).collect::<Option<_>>()?),
        "M" => AttributeValue::M(item(value)?),
        "NULL" => AttributeValue::Null(value.as_bool()?),
        // Nothing that this crate writes.
        _ => return None,
    })
}
