//! Records writes for change streams, the journal and lagging indexes. Recorded writes run one after another; each item
//! is read before and after its write, without consuming capacity.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use dynoxide::Database;
use local_journal::{Event, Origin};
use local_resources::Table;
use local_streams::Change;
use serde_json::{Value, json};
use tokio::sync::OwnedMutexGuard;

use super::DynamoDb;

const WRITES: [&str; 5] = ["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"];

/// Status and body of the response, or the reason for a missing response.
pub(super) type EngineResponse = Result<(u16, Bytes), String>;

/// Table name to the names of its key attributes.
pub(super) struct KeySchemas(HashMap<String, Vec<String>>);

/// A recorded write in progress; holds the write lock until it is dropped.
pub(super) struct RecordedWrite {
    operation: String,
    items: Vec<Item>,
    _lock: OwnedMutexGuard<()>,
}

struct Item {
    table: String,
    key: Value,
    before: Option<Value>,
}

/// A written item; `after` is `None` if it was deleted.
pub(super) struct Written {
    pub(super) table: String,
    pub(super) key: Value,
    pub(super) after: Option<Value>,
}

impl RecordedWrite {
    /// Takes the write lock and reads the items before the write. `None` if the request does not write, or if its
    /// writes are not recorded.
    pub(super) async fn begin(dynamodb: &DynamoDb, operation: &str, body: &[u8]) -> Option<Self> {
        let (streams, everything) = (&dynamodb.0.streams, dynamodb.0.journal.is_on() || dynamodb.0.lag.is_on());
        if !WRITES.contains(&operation) || !(everything || streams.any()) {
            return None;
        }
        let mut items = dynamodb.0.keys.written(operation, &serde_json::from_slice(body).ok()?);
        items.retain(|(table, _)| everything || streams.has(table));
        if items.is_empty() {
            return None;
        }
        let _lock = Arc::clone(&dynamodb.0.write_lock).lock_owned().await;
        let before =
            |(table, key): (String, Value)| Item { before: item(dynamodb.database(), &table, &key), table, key };
        Some(Self { operation: operation.to_owned(), items: items.into_iter().map(before).collect(), _lock })
    }

    /// Sends the write to the engine and records it. Runs to its end even if the caller is dropped, so that no write is
    /// left unrecorded.
    pub(super) async fn execute(self, dynamodb: &DynamoDb, target: &str, body: Bytes) -> EngineResponse {
        let (dynamodb, target) = (dynamodb.clone(), target.to_owned());
        let executed = tokio::spawn(Origin::carry(async move {
            let answered = dynamodb.0.engine.call(&target, body).await;
            // Without a response, the write may have been applied: the items are read again.
            if answered.as_ref().map_or(true, |(status, _)| *status == 200) {
                self.record(&dynamodb);
            }
            answered.map_err(|cause| cause.to_string())
        }));
        executed.await.unwrap_or_else(|error| Err(error.to_string()))
    }

    fn record(self, dynamodb: &DynamoDb) {
        for Item { table, key, before } in self.items {
            let after = item(dynamodb.database(), &table, &key);
            dynamodb.0.lag.record_write(|| Written { table: table.clone(), key: key.clone(), after: after.clone() });
            if dynamodb.0.streams.has(&table) {
                let (key, before, after) = (key.clone(), before.clone(), after.clone());
                dynamodb.0.streams.append(&table, Change { key, before, after, expired: false });
            }
            let operation = self.operation.clone();
            dynamodb.0.journal.record(|| Event::Written { table, key, operation, before, after });
        }
    }
}

impl KeySchemas {
    pub(super) fn new(tables: &[Table]) -> Self {
        let names = |table: &Table| {
            let schema = table.create.get("KeySchema").and_then(Value::as_array).into_iter().flatten();
            schema.filter_map(|key| Some(key.get("AttributeName")?.as_str()?.to_owned())).collect()
        };
        Self(tables.iter().map(|table| (table.name.clone(), names(table))).collect())
    }

    /// Table and key of each item that a request writes.
    fn written(&self, operation: &str, request: &Value) -> Vec<(String, Value)> {
        let of = |table: Option<&str>, write: &Value| self.key(table?, write);
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        match operation {
            "PutItem" | "UpdateItem" | "DeleteItem" => of(request["TableName"].as_str(), request).into_iter().collect(),
            "TransactWriteItems" => {
                let writes = list(&request["TransactItems"]);
                let writes = writes.iter().flat_map(|write| ["Put", "Update", "Delete"].map(|kind| &write[kind]));
                writes.filter_map(|write| of(write["TableName"].as_str(), write)).collect()
            }
            "BatchWriteItem" => {
                let tables = request["RequestItems"].as_object().into_iter().flatten();
                let writes = tables.flat_map(|(table, writes)| list(writes).into_iter().map(move |w| (table, w)));
                let each = |(table, write): (&String, Value)| {
                    ["PutRequest", "DeleteRequest"].iter().find_map(|kind| of(Some(table), &write[*kind]))
                };
                writes.filter_map(each).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Table and key of a write that has a `Key` or an `Item`.
    pub(super) fn key(&self, table: &str, write: &Value) -> Option<(String, Value)> {
        let given = write.get("Key").or_else(|| write.get("Item"))?.as_object()?;
        let names = self.0.get(table)?;
        let key = names.iter().filter_map(|name| Some((name.clone(), given.get(name)?.clone())));
        Some((table.to_owned(), Value::Object(key.collect())))
    }
}

/// The present item; `None` if it does not exist or the read fails, in which case the write itself returns the error.
fn item(database: &Database, table: &str, key: &Value) -> Option<Value> {
    let request = json!({"TableName": table, "Key": key, "ConsistentRead": true});
    let found = database.get_item(serde_json::from_value(request).ok()?).ok()?.item?;
    serde_json::to_value(found).ok()
}
