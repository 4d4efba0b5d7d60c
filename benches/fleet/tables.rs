//! The part of DynamoDB that dispatch-commands uses. Any other request is refused, so that no error is measured.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

/// The items of a table by partition key and sort key.
type Table = HashMap<String, BTreeMap<String, Value>>;

#[derive(Default)]
pub struct Tables(HashMap<String, Table>);

impl Tables {
    /// Number of items in a table.
    pub fn rows(&self, table: &str) -> usize {
        self.0.get(table).map_or(0, |table| table.values().map(BTreeMap::len).sum())
    }

    /// The body of the response, or of the error.
    pub fn answer(&mut self, operation: &str, mut request: Value) -> Result<Value, Value> {
        let table = request["TableName"].as_str().ok_or_else(|| refused("no TableName"))?;
        let table = self.0.entry(table.to_owned()).or_default();
        match operation {
            "PutItem" => put(table, &mut request),
            // The update is not applied, because no request of the benchmark reads its result.
            "UpdateItem" => {
                Ok(json!({"Attributes": get(table, &request["Key"])?.cloned().unwrap_or(request["Key"].take())}))
            }
            "GetItem" => Ok(get(table, &request["Key"])?.map_or(json!({}), |item| json!({"Item": item}))),
            "Query" => query(table, &request),
            other => Err(refused(&format!("the benchmark does not support the operation {other}"))),
        }
    }
}

/// Puts an item under one of the two conditions that the functions use: it does not exist, or its revision is
/// unchanged.
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
        other => return Err(refused(&format!("the benchmark does not support the condition {other:?}"))),
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

/// Queries the partition `:pk`, or its items whose sort key begins with `:kind`. Indexes are empty, because nothing is
/// due.
fn query(table: &Table, request: &Value) -> Result<Value, Value> {
    let value = |name: &str| request["ExpressionAttributeValues"][name]["S"].as_str();
    if request["IndexName"].is_string() {
        return Ok(json!({"Items": [], "Count": 0, "ScannedCount": 0}));
    }
    let pk = value(":pk").ok_or_else(|| refused("a query needs :pk"))?;
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
