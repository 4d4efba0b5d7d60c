//! `AWS::DynamoDB::Table`, converted to the input of `CreateTable`.

use serde_json::{Map, Value, json};

use super::error::TemplateError;
use super::node::Node;
use super::resource::Resource;
use super::{Place, Table, stream};

/// Table properties that are passed to `CreateTable`.
const TABLE_PROPERTIES: [&str; 6] = [
    "AttributeDefinitions",
    "BillingMode",
    "GlobalSecondaryIndexes",
    "KeySchema",
    "LocalSecondaryIndexes",
    "ProvisionedThroughput",
];
/// Index properties that are passed to `CreateTable`.
const INDEX_PROPERTIES: [&str; 4] = ["IndexName", "KeySchema", "Projection", "ProvisionedThroughput"];

pub fn read(resource: &Resource, place: &Place) -> Result<Table, TemplateError> {
    let properties = resource.properties();
    properties.required("KeySchema")?;
    properties.required("AttributeDefinitions")?;
    let mut create = select(&properties, &TABLE_PROPERTIES);
    create.insert("TableName".into(), resource.name.as_str().into());
    for key in ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"] {
        if let Some(indexes) = properties.get(key) {
            let indexes = indexes.items()?.iter().map(|index| select(index, &INDEX_PROPERTIES).into()).collect();
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

fn select(node: &Node<'_>, keys: &[&str]) -> Map<String, Value> {
    keys.iter().filter_map(|key| Some(((*key).to_owned(), convert_capacity_units(node.get(key)?.value)))).collect()
}

/// Converts capacity units to numbers: CloudFormation accepts numbers as text, the DynamoDB API does not.
fn convert_capacity_units(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| {
                let units = key.ends_with("CapacityUnits").then(|| value.as_str()?.parse::<u64>().ok()).flatten();
                (key.clone(), units.map_or_else(|| convert_capacity_units(value), Value::from))
            })
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

fn ttl(properties: &Node<'_>) -> Result<Option<String>, TemplateError> {
    match properties.get("TimeToLiveSpecification") {
        Some(ttl) if ttl.required("Enabled")?.boolean()? => Ok(Some(ttl.required("AttributeName")?.text()?)),
        _ => Ok(None),
    }
}
