//! `AWS::DynamoDB::Table` as the input of CreateTable.

use serde_json::{Map, Value, json};

use super::error::TemplateError;
use super::node::Node;
use super::resource::Resource;
use super::{Place, Table, stream};

/// What CreateTable takes and a table on one machine can honour.
const TAKEN: [&str; 6] = [
    "AttributeDefinitions",
    "BillingMode",
    "GlobalSecondaryIndexes",
    "KeySchema",
    "LocalSecondaryIndexes",
    "ProvisionedThroughput",
];
const TAKEN_OF_AN_INDEX: [&str; 4] = ["IndexName", "KeySchema", "Projection", "ProvisionedThroughput"];

pub fn read(resource: &Resource, place: &Place) -> Result<Table, TemplateError> {
    let properties = resource.properties();
    properties.need("KeySchema")?;
    properties.need("AttributeDefinitions")?;
    let mut create = keep(&properties, &TAKEN);
    create.insert("TableName".into(), resource.name.as_str().into());
    for key in ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"] {
        if let Some(indexes) = properties.get(key) {
            let indexes = indexes.items()?.iter().map(|index| keep(index, &TAKEN_OF_AN_INDEX).into()).collect();
            create.insert(key.into(), Value::Array(indexes));
        }
    }
    let stream = properties.get("StreamSpecification");
    let stream = stream.map(|stream| stream::of_table(&stream, &resource.name, place)).transpose()?;
    if let Some(stream) = &stream {
        let view = stream.view.name();
        create.insert("StreamSpecification".into(), json!({ "StreamEnabled": true, "StreamViewType": view }));
    }
    Ok(Table {
        logical_id: resource.logical_id.clone(),
        name: resource.name.clone(),
        create: create.into(),
        ttl_attribute: ttl(&properties)?,
        stream,
    })
}

fn keep(node: &Node<'_>, keys: &[&str]) -> Map<String, Value> {
    keys.iter().filter_map(|key| Some(((*key).to_owned(), numbers(node.get(key)?.value)))).collect()
}

/// CloudFormation takes numbers as text, the API does not.
fn numbers(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| {
                let units = key.ends_with("CapacityUnits").then(|| value.as_str()?.parse::<u64>().ok()).flatten();
                (key.clone(), units.map_or_else(|| numbers(value), Value::from))
            })
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

fn ttl(properties: &Node<'_>) -> Result<Option<String>, TemplateError> {
    match properties.get("TimeToLiveSpecification") {
        Some(ttl) if ttl.need("Enabled")?.flag()? => Ok(Some(ttl.need("AttributeName")?.text()?)),
        _ => Ok(None),
    }
}
