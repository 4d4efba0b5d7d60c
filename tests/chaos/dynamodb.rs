//! DynamoDB: the local stack's database, called without a socket. It records every write.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use local::{clock::Clock, dynamodb::DynamoDb, streams::Change, template::Template};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tower::ServiceExt;

/// Partition key and sort key.
pub type Key = (String, String);

/// A write that changed an item. `item` is `None` where the item was deleted.
#[derive(Clone)]
pub struct ItemWrite {
    pub at_ms: i64,
    pub table: String,
    pub key: Key,
    pub item: Option<Value>,
}

pub struct SimulatedDynamoDb {
    dynamodb: DynamoDb,
    /// Runtime of the stack's own HTTP front, which answers rare calls.
    server_runtime: Runtime,
    /// Every change in this schedule.
    pub(super) writes: Vec<ItemWrite>,
    /// The items as the last write left them.
    items: BTreeMap<(String, Key), Value>,
    /// The shards of the due index in which an entry was ever listed, as queries name them.
    pub(super) used_shards: BTreeSet<String>,
    written_keys: BTreeSet<(String, Key)>,
}

impl SimulatedDynamoDb {
    pub fn start(template: &Template) -> Self {
        let server_runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("the system can start a thread");
        let dynamodb = server_runtime
            .block_on(DynamoDb::start(Clock::manual(0), &template.tables, None))
            .expect("the database starts");
        Self {
            dynamodb,
            server_runtime,
            writes: Vec::new(),
            items: BTreeMap::new(),
            used_shards: BTreeSet::new(),
            written_keys: BTreeSet::new(),
        }
    }

    /// Deletes every item and all records.
    pub fn clear(&mut self) {
        for (table, (pk, sk)) in std::mem::take(&mut self.written_keys) {
            let body = json!({"TableName": table, "Key": {"pk": {"S": pk}, "sk": {"S": sk}}});
            let (status, response) = self.call("DeleteItem", body.to_string().as_bytes());
            assert_eq!(status, 200, "DeleteItem {body}: {response:?}");
        }
        self.writes.clear();
        self.items.clear();
        self.used_shards.clear();
    }

    /// Every change, in order.
    pub fn writes(&self) -> &[ItemWrite] {
        &self.writes
    }

    /// Executes a request. Returns the response, and the change that the request made, with its table.
    pub fn execute(
        &mut self,
        operation: &str,
        body: &Bytes,
        now_ms: i64,
    ) -> (http::Response<Bytes>, Option<(String, Change)>) {
        let (status, response) = self.call(operation, body);
        let is_write = matches!(operation, "PutItem" | "UpdateItem" | "DeleteItem");
        let change = if status == 200 && is_write { self.record_write(body, now_ms) } else { None };
        (respond(status, response), change)
    }

    fn record_write(&mut self, body: &[u8], now_ms: i64) -> Option<(String, Change)> {
        let request: Value = serde_json::from_slice(body).expect("the request is JSON");
        let item_key = if request["Key"].is_object() { &request["Key"] } else { &request["Item"] };
        let part = |name: &str| item_key[name]["S"].as_str().expect("the request has a key").to_owned();
        let key = (part("pk"), part("sk"));
        let table = request["TableName"].as_str().expect("the request names a table").to_owned();
        self.written_keys.insert((table.clone(), key.clone()));
        let after = self.item(&table, &key);
        let place = (table.clone(), key.clone());
        let before = match &after {
            Some(item) => self.items.insert(place, item.clone()),
            None => self.items.remove(&place),
        };
        if before == after {
            return None;
        }
        self.used_shards.extend(after.as_ref().and_then(shard_in_queries));
        let change = Change {
            key: json!({"pk": item_key["pk"], "sk": item_key["sk"]}),
            before,
            after: after.clone(),
            expired: false,
        };
        self.writes.push(ItemWrite { at_ms: now_ms, table: table.clone(), key, item: after });
        Some((table, change))
    }

    fn item(&self, table: &str, (pk, sk): &Key) -> Option<Value> {
        let key = json!({"pk": {"S": pk}, "sk": {"S": sk}});
        let request = json!({"TableName": table, "Key": key, "ConsistentRead": true});
        let request = serde_json::from_value(request).expect("the request is valid");
        let response = self.dynamodb.database().get_item(request).expect("the table exists");
        response.item.map(|item| serde_json::to_value(item).expect("items are JSON"))
    }

    /// Calls the database engine, whose JSON is DynamoDB's. A request that it rejects for another reason than a
    /// condition is sent to the stack's own HTTP front, which has DynamoDB's error texts.
    fn call(&self, operation: &str, body: &[u8]) -> (u16, Bytes) {
        macro_rules! call {
            ($operation:ident) => {
                serde_json::from_slice(body).ok().and_then(|request| {
                    match self.dynamodb.database().$operation(request) {
                        Ok(response) => Some((200, serde_json::to_vec(&response).ok()?)),
                        Err(error) if error.error_type().ends_with("ConditionalCheckFailedException") => {
                            Some((error.status_code(), error.to_json().into()))
                        }
                        Err(_) => None,
                    }
                })
            };
        }
        let response: Option<(u16, Vec<u8>)> = match operation {
            "GetItem" => call!(get_item),
            "PutItem" => call!(put_item),
            "UpdateItem" => call!(update_item),
            "DeleteItem" => call!(delete_item),
            "Query" => call!(query),
            _ => None,
        };
        match response {
            Some((status, body)) => (status, body.into()),
            None => self.call_server(operation, body),
        }
    }

    fn call_server(&self, operation: &str, body: &[u8]) -> (u16, Bytes) {
        let request = http::Request::post("/")
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header("content-type", "application/x-amz-json-1.0")
            .body(axum::body::Body::from(body.to_vec()))
            .expect("the request is valid");
        let (router, runtime) = (self.dynamodb.router(), self.server_runtime.handle().clone());
        let call = std::thread::spawn(move || {
            runtime.block_on(async move {
                let response = router.oneshot(request).await.unwrap_or_else(|never| match never {});
                let status = response.status().as_u16();
                let body = axum::body::to_bytes(response.into_body(), usize::MAX).await;
                (status, body.expect("the body is in memory"))
            })
        });
        call.join().expect("the HTTP front does not panic")
    }
}

/// How a query names the shard of the due index that lists an item.
fn shard_in_queries(item: &Value) -> Option<String> {
    Some(format!("\":shard\":{{\"S\":\"{}\"}}", item["due_shard"]["S"].as_str()?))
}

pub fn respond(status: u16, body: Bytes) -> http::Response<Bytes> {
    http::Response::builder()
        .status(status)
        .header("content-type", "application/x-amz-json-1.0")
        .body(body)
        .expect("the response is valid")
}
