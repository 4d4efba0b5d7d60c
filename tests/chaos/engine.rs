//! DynamoDB: the local stack's, asked without its socket, with every image of a row kept and an index that may lag.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use local::{clock::Clock, dynamodb::DynamoDb, template::Template};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tower::ServiceExt;

pub type Key = (String, String);

pub struct Engine {
    dynamodb: DynamoDb,
    executions: String,
    /// Where the stack's own server runs, for what is not asked every day.
    beside: Runtime,
    /// Everything that was ever written in this schedule: the row, and when.
    written: Vec<(i64, Key, Option<Value>)>,
    /// How queries name the parts of the index in which something was ever listed.
    listed: BTreeSet<String>,
    keys: BTreeSet<(String, Key)>,
}

impl Engine {
    pub fn start(template: &Template, executions: &str) -> Self {
        let beside =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("threads");
        let dynamodb = beside.block_on(DynamoDb::start(Clock::manual(0), &template.tables, None)).expect("a database");
        Self {
            dynamodb,
            executions: executions.to_owned(),
            beside,
            written: Vec::new(),
            listed: BTreeSet::new(),
            keys: BTreeSet::new(),
        }
    }

    /// Empty tables.
    pub fn clear(&mut self) {
        for (table, (pk, sk)) in std::mem::take(&mut self.keys) {
            let body = json!({"TableName": table, "Key": {"pk": {"S": pk}, "sk": {"S": sk}}});
            let (status, answer) = self.ask("DeleteItem", body.to_string().as_bytes());
            assert_eq!(status, 200, "{answer:?}");
        }
        self.written.clear();
        self.listed.clear();
    }

    /// Every image of an item that was written, in order; none where it was deleted.
    pub fn written(&self) -> &[(i64, Key, Option<Value>)] {
        &self.written
    }

    /// Whether a look at what is due at this time could find anything, also in an index that lags.
    pub fn has_due(&self, until_s: i64, now_ms: i64) -> bool {
        let due = |item: &Option<Value>| {
            let at = item.as_ref().and_then(|item| item["due_at"]["N"].as_str()?.parse::<i64>().ok());
            at.is_some_and(|at| at <= until_s)
        };
        let mut last: BTreeMap<&Key, bool> = BTreeMap::new();
        for (at, key, item) in &self.written {
            let recent = *at + 5_000 > now_ms;
            let kept = recent && last.get(key).copied().unwrap_or(false);
            last.insert(key, kept || due(item));
        }
        last.into_values().any(|due| due)
    }

    /// What a query of the index answers, if nothing at all is listed where it looks: most queries do, and need no engine.
    pub fn nothing_due(&self, body: &[u8]) -> Option<http::Response<Bytes>> {
        let query = std::str::from_utf8(body).ok()?;
        if self.listed.iter().any(|part| query.contains(part)) {
            return None;
        }
        self.lagging(body, i64::MIN)
    }

    /// Does what the request says, and remembers what it wrote.
    pub fn perform(&mut self, operation: &str, body: &Bytes, now_ms: i64) -> http::Response<Bytes> {
        let (status, answer) = self.ask(operation, body);
        if status == 200 && matches!(operation, "PutItem" | "UpdateItem" | "DeleteItem") {
            self.remember(body, now_ms);
        }
        respond(status, answer)
    }

    fn remember(&mut self, body: &[u8], now_ms: i64) {
        let request: Value = serde_json::from_slice(body).expect("a request");
        let key = if request["Key"].is_object() { &request["Key"] } else { &request["Item"] };
        let part = |name: &str| key[name]["S"].as_str().expect("a key").to_owned();
        let key = (part("pk"), part("sk"));
        let table = request["TableName"].as_str().expect("a table").to_owned();
        if table == self.executions {
            let item = self.item(&table, &key);
            if self.written.iter().rev().find(|(_, other, _)| *other == key).is_none_or(|(.., last)| *last != item) {
                self.listed.extend(item.as_ref().and_then(part_of_index));
                self.written.push((now_ms, key.clone(), item));
            }
        }
        self.keys.insert((table, key));
    }

    fn item(&self, table: &str, (pk, sk): &Key) -> Option<Value> {
        let key = json!({"pk": {"S": pk}, "sk": {"S": sk}});
        let request = json!({"TableName": table, "Key": key, "ConsistentRead": true});
        let found = self.dynamodb.database().get_item(serde_json::from_value(request).expect("a request"));
        found.expect("a table").item.map(|item| serde_json::to_value(item).expect("JSON"))
    }

    /// The index as it was then: what a query of it may answer while it lags.
    pub fn lagging(&self, body: &[u8], then_ms: i64) -> Option<http::Response<Bytes>> {
        let request: Value = serde_json::from_slice(body).ok()?;
        if request["IndexName"] != "due" {
            return None;
        }
        // Of commands only those for fleets are ever due, and here are none.
        if request["TableName"] != *self.executions {
            return Some(respond(200, json!({"Count": 0, "ScannedCount": 0, "Items": []}).to_string().into()));
        }
        let values = &request["ExpressionAttributeValues"];
        let (shard, until) = (values[":shard"]["S"].as_str()?, values[":now"]["N"].as_str()?.parse::<i64>().ok()?);
        let limit = request["Limit"].as_u64().unwrap_or(u64::MAX) as usize;
        let mut rows = BTreeMap::new();
        for (_, key, item) in self.written.iter().take_while(|(at, ..)| *at <= then_ms) {
            rows.insert(key, item.as_ref());
        }
        let entry = |item: &Value| {
            let due = item["due_at"]["N"].as_str()?.parse::<i64>().ok()?;
            let listed = item["due_shard"]["S"] == shard && due <= until;
            listed.then(|| (due, json!({"pk": item["pk"], "sk": item["sk"], "due_shard": item["due_shard"], "due_at": item["due_at"]})))
        };
        let mut found: Vec<_> = rows.into_values().flatten().filter_map(entry).collect();
        found.sort_by_key(|(due, _)| *due);
        let items: Vec<Value> = found.into_iter().map(|(_, item)| item).take(limit).collect();
        let answer = json!({"Count": items.len(), "ScannedCount": items.len(), "Items": items});
        Some(respond(200, answer.to_string().into()))
    }

    /// The same engine, the same JSON. What it refuses for another reason than a condition is asked again of the stack's own
    /// server, which has the right words for it.
    fn ask(&self, operation: &str, body: &[u8]) -> (u16, Bytes) {
        macro_rules! ask {
            ($call:ident) => {
                serde_json::from_slice(body).ok().and_then(|request| match self.dynamodb.database().$call(request) {
                    Ok(answer) => Some((200, serde_json::to_vec(&answer).ok()?)),
                    Err(error) if error.error_type().ends_with("ConditionalCheckFailedException") => {
                        Some((error.status_code(), error.to_json().into()))
                    }
                    Err(_) => None,
                })
            };
        }
        let answered: Option<(u16, Vec<u8>)> = match operation {
            "GetItem" => ask!(get_item),
            "PutItem" => ask!(put_item),
            "UpdateItem" => ask!(update_item),
            "DeleteItem" => ask!(delete_item),
            "Query" => ask!(query),
            _ => None,
        };
        match answered {
            Some((status, answer)) => (status, answer.into()),
            None => self.ask_server(operation, body),
        }
    }

    fn ask_server(&self, operation: &str, body: &[u8]) -> (u16, Bytes) {
        let request = http::Request::post("/")
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header("content-type", "application/x-amz-json-1.0")
            .body(axum::body::Body::from(body.to_vec()))
            .expect("a request");
        let (router, runtime) = (self.dynamodb.router(), self.beside.handle().clone());
        let asking = std::thread::spawn(move || {
            runtime.block_on(async move {
                let answer = router.oneshot(request).await.unwrap_or_else(|never| match never {});
                let status = answer.status().as_u16();
                (status, axum::body::to_bytes(answer.into_body(), usize::MAX).await.expect("a body"))
            })
        });
        asking.join().expect("no panic")
    }
}

/// How a query names the part of the index that a row is listed in.
fn part_of_index(item: &Value) -> Option<String> {
    Some(format!("\":shard\":{{\"S\":\"{}\"}}", item["due_shard"]["S"].as_str()?))
}

pub fn respond(status: u16, body: Bytes) -> http::Response<Bytes> {
    http::Response::builder()
        .status(status)
        .header("content-type", "application/x-amz-json-1.0")
        .body(body)
        .expect("a response")
}
