//! Deletion of expired items, at most one hour of the stack's clock after their TTL. AWS takes up to a few days.
//!
//! The TTL of the engine is not used: it does not return the deleted items, which the change streams contain.

use dynoxide::DynoxideError;
use local_streams::Change;
use serde_json::{Value, json};

use super::DynamoDb;

/// Time between two sweeps.
pub(super) const SWEEP_INTERVAL_MS: i64 = 3_600_000;

/// Items of one scan; the database is locked during a scan.
const PAGE_SIZE: usize = 50;

/// A TTL value further in the past is ignored, as DynamoDB does (developer guide, "Time to Live": five years).
const MAX_EXPIRED_AGE_S: i64 = 5 * 365 * 86_400;

impl DynamoDb {
    /// Deletes all expired items and returns their number. Blocks the calling thread.
    pub(super) fn sweep(&self) -> Result<usize, DynoxideError> {
        let mut deleted = 0;
        for table in &self.0.declared {
            if let Some(attribute) = &table.ttl_attribute {
                deleted += self.sweep_table(&table.name, attribute)?;
            }
        }
        Ok(deleted)
    }

    fn sweep_table(&self, table: &str, attribute: &str) -> Result<usize, DynoxideError> {
        let now_s = self.0.clock.now_s();
        let names = json!({"#ttl": attribute});
        let values =
            json!({":oldest": {"N": (now_s - MAX_EXPIRED_AGE_S).to_string()}, ":now": {"N": now_s.to_string()}});
        let (mut start, mut deleted) = (Value::Null, 0);
        loop {
            let mut scan = json!({
                // Small pages: concurrent requests wait for at most one page.
                "TableName": table, "Limit": PAGE_SIZE, "FilterExpression": "#ttl BETWEEN :oldest AND :now",
                "ExpressionAttributeNames": names, "ExpressionAttributeValues": values,
            });
            if !start.is_null() {
                scan["ExclusiveStartKey"] = start;
            }
            let mut page = answer(self.database().scan(input(scan)?)?)?;
            for item in page["Items"].as_array().into_iter().flatten() {
                let Some((_, key)) = self.0.keys.key(table, &json!({"Item": item})) else { continue };
                let delete = json!({
                    "TableName": table, "Key": key, "ReturnValues": "ALL_OLD",
                    // The TTL may have been extended since the scan.
                    "ConditionExpression": "#ttl BETWEEN :oldest AND :now",
                    "ExpressionAttributeNames": names, "ExpressionAttributeValues": values,
                });
                let _lock = self.0.write_lock.blocking_lock();
                let before = match self.database().delete_item(input(delete)?) {
                    Err(DynoxideError::ConditionalCheckFailedException(..)) => continue,
                    answered => answer(answered?)?["Attributes"].take(),
                };
                deleted += 1;
                let before = Some(before);
                self.0.streams.append(table, Change { key, before, after: None, expired: true });
            }
            start = page["LastEvaluatedKey"].take();
            if start.is_null() {
                return Ok(deleted);
            }
        }
    }
}

fn input<T: serde::de::DeserializeOwned>(request: Value) -> Result<T, DynoxideError> {
    serde_json::from_value(request).map_err(|error| DynoxideError::SerializationException(error.to_string()))
}

fn answer(response: impl serde::Serialize) -> Result<Value, DynoxideError> {
    serde_json::to_value(response).map_err(|error| DynoxideError::SerializationException(error.to_string()))
}
