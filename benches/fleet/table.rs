//! As much of DynamoDB as a dispatch needs. What it does not know it refuses, so that nobody measures a mistake.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

/// The sort keys below their partition keys.
type Table = HashMap<String, BTreeMap<String, Value>>;

#[derive(Default)]
pub struct Tables(HashMap<String, Table>);

impl Tables {
    pub fn rows(&self, table: &str) -> usize {
        self.0.get(table).map_or(0, |table| table.values().map(BTreeMap::len).sum())
    }

    /// What DynamoDB answers: the body, or the error's.
    pub fn answer(&mut self, operation: &str, mut request: Value) -> Result<Value, Value> {
        let table = request["TableName"].as_str().ok_or_else(|| refused("no TableName"))?;
        let table = self.0.entry(table.to_owned()).or_default();
        match operation {
            "PutItem" => put(table, &mut request),
            // Whatever it changes: nothing here reads it again.
            "UpdateItem" => {
                Ok(json!({"Attributes": get(table, &request["Key"])?.cloned().unwrap_or(request["Key"].take())}))
            }
            "GetItem" => Ok(get(table, &request["Key"])?.map_or(json!({}), |item| json!({"Item": item}))),
            "Query" => query(table, &request),
            other => Err(refused(&format!("the benchmark's cloud does not know {other}"))),
        }
    }
}

/// A put is one of something that must not be there, or that must be as it was seen.
fn put(table: &mut Table, request: &mut Value) -> Result<Value, Value> {
    let item = request["Item"].take();
    let (pk, sk) = key(&item)?;
    let partition = table.entry(pk.to_owned()).or_default();
    let existing = partition.get(sk);
    let holds = match request["ConditionExpression"].as_str() {
        Some("attribute_not_exists(pk)") => existing.is_none(),
        Some("revision = :seen") => {
            existing.is_some_and(|item| item["revision"] == request["ExpressionAttributeValues"][":seen"])
        }
        other => return Err(refused(&format!("the benchmark's cloud does not know {other:?}"))),
    };
    if !holds {
        return Err(json!({
            "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
            "message": "The conditional request failed",
            "Item": existing,
        }));
    }
    partition.insert(sk.to_owned(), item);
    Ok(json!({}))
}

fn get<'a>(table: &'a Table, wanted: &Value) -> Result<Option<&'a Value>, Value> {
    let (pk, sk) = key(wanted)?;
    Ok(table.get(pk).and_then(|partition| partition.get(sk)))
}

/// Of the table: the partition `:pk`, or what begins with `:kind` in it. An index is empty: nothing is due.
fn query(table: &Table, request: &Value) -> Result<Value, Value> {
    let value = |name: &str| request["ExpressionAttributeValues"][name]["S"].as_str();
    if request["IndexName"].is_string() {
        return Ok(json!({"Items": [], "Count": 0, "ScannedCount": 0}));
    }
    let pk = value(":pk").ok_or_else(|| refused("a query is for a :pk"))?;
    let kind = value(":kind").unwrap_or_default();
    let partition = table.get(pk).into_iter().flatten();
    let items: Vec<&Value> = partition.filter(|(sk, _)| sk.starts_with(kind)).map(|(_, item)| item).collect();
    Ok(json!({"Count": items.len(), "ScannedCount": items.len(), "Items": items}))
}

fn key(item: &Value) -> Result<(&str, &str), Value> {
    let part = |name: &str| item[name]["S"].as_str().ok_or_else(|| refused(&format!("no {name}")));
    Ok((part("pk")?, part("sk")?))
}

fn refused(message: &str) -> Value {
    json!({"__type": "com.amazon.coral.validate#ValidationException", "message": message})
}
