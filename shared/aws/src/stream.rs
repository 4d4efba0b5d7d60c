//! The records of a DynamoDB stream: which item of the table of commands has changed.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{BatchNumber, CommandId};
use serde_json::Value;

use crate::item::{Item, batch_of_key, command_of_key};

/// A changed item of the table of commands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangedItem {
    /// A command or its plan.
    Command(CommandId),
    /// A batch.
    Batch(CommandId, BatchNumber),
}

impl ChangedItem {
    /// The item with a key in DynamoDB's JSON; none for an item of another kind, which no function processes.
    pub fn of(key: &Value) -> Option<Self> {
        let item = item(key)?;
        match item.get("sk")?.as_s().ok()?.as_str() {
            "META" | "PLAN" => command_of_key(&item).ok().map(Self::Command),
            "BATCH" => batch_of_key(&item).ok().map(|(command, batch)| Self::Batch(command, batch)),
            _ => None,
        }
    }
}

/// The item in DynamoDB's JSON; none if it is not one, or has an attribute of a type that this crate does not write.
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
        _ => return None,
    })
}
