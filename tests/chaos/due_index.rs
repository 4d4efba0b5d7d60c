//! Queries of the due index, answered from the recorded writes: as the index was at an earlier time, or empty.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::dynamodb::{ItemWrite, Key, SimulatedDynamoDb, respond};

/// How long an entry can still be found in a lagging index after it was removed.
const MAX_LAG_MS: i64 = 5_000;

impl SimulatedDynamoDb {
    /// Whether a query for entries that are due at `until_s` could find one, even if the index lags.
    pub fn has_due(&self, until_s: i64, now_ms: i64) -> bool {
        let is_due = |item: &Option<Value>| {
            let due_at = item.as_ref().and_then(|item| item["due_at"]["N"].as_str()?.parse::<i64>().ok());
            due_at.is_some_and(|due_at| due_at <= until_s)
        };
        let mut may_be_found: BTreeMap<(&String, &Key), bool> = BTreeMap::new();
        for ItemWrite { at_ms, table, key, item } in &self.writes {
            let is_recent = *at_ms + MAX_LAG_MS > now_ms;
            let was_found = is_recent && may_be_found.get(&(table, key)).copied().unwrap_or(false);
            may_be_found.insert((table, key), was_found || is_due(item));
        }
        may_be_found.into_values().any(|may_be_found| may_be_found)
    }

    /// The response to a query of a shard that never had an entry; most queries are of this kind, and need no database.
    pub fn query_unused_shard(&self, body: &[u8]) -> Option<http::Response<Bytes>> {
        let query = std::str::from_utf8(body).ok()?;
        if self.used_shards.iter().any(|shard| query.contains(shard)) {
            return None;
        }
        self.query_as_of(body, i64::MIN)
    }

    /// The response to a query of the due index as it was at `then_ms`; `None` for any other query.
    pub fn query_as_of(&self, body: &[u8], then_ms: i64) -> Option<http::Response<Bytes>> {
        let request: Value = serde_json::from_slice(body).ok()?;
        if request["IndexName"] != "due" {
            return None;
        }
        let values = &request["ExpressionAttributeValues"];
        let seconds = |name: &str| values[name]["N"].as_str()?.parse::<i64>().ok();
        let (shard, from_s, until_s) = (values[":shard"]["S"].as_str()?, seconds(":from")?, seconds(":until")?);
        let limit = request["Limit"].as_u64().unwrap_or(u64::MAX) as usize;
        let mut rows = BTreeMap::new();
        let of_table = |write: &&ItemWrite| request["TableName"] == *write.table;
        for write in self.writes.iter().take_while(|write| write.at_ms <= then_ms).filter(of_table) {
            rows.insert(&write.key, write.item.as_ref());
        }
        let entry = |item: &Value| {
            let due_at = item["due_at"]["N"].as_str()?.parse::<i64>().ok()?;
            let is_listed = item["due_shard"]["S"] == shard && (from_s..=until_s).contains(&due_at);
            let attributes = ["pk", "sk", "due_shard", "due_at"];
            let projected = || attributes.into_iter().map(|name| (name.to_owned(), item[name].clone())).collect();
            is_listed.then(|| (due_at, Value::Object(projected())))
        };
        let mut found: Vec<_> = rows.into_values().flatten().filter_map(entry).collect();
        found.sort_by_key(|(due_at, _)| *due_at);
        let items: Vec<Value> = found.into_iter().map(|(_, item)| item).take(limit).collect();
        let response = json!({"Count": items.len(), "ScannedCount": items.len(), "Items": items});
        Some(respond(200, response.to_string().into()))
    }
}
