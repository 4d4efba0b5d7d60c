//! Items past their TTL: deleted an hour late at most on the stack's clock. AWS takes hours to days.
//!
//! The engine could do it itself, but does not tell what it deletes, and streams have to know.

use std::time::Duration;

use dynoxide::DynoxideError;
use local_streams::Change;
use serde_json::{Value, json};

use super::DynamoDb;

pub(super) const INTERVAL: Duration = Duration::from_secs(3600);

/// So many items are looked at at a time.
const PAGE: usize = 50;

/// What is older was not meant to be a time.
const OLDEST_S: i64 = 5 * 365 * 86_400;

impl DynamoDb {
    /// Deletes what is past its TTL now; how many items that was. It takes the database's time, which is a thread's.
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
        let values = json!({":oldest": {"N": (now_s - OLDEST_S).to_string()}, ":now": {"N": now_s.to_string()}});
        let (mut start, mut deleted) = (Value::Null, 0);
        loop {
            let mut scan = json!({
                // Little at a time: whoever asks meanwhile waits for no more than that.
                "TableName": table, "Limit": PAGE, "FilterExpression": "#ttl BETWEEN :oldest AND :now",
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
                    // It may have been given more time meanwhile.
                    "ConditionExpression": "#ttl BETWEEN :oldest AND :now",
                    "ExpressionAttributeNames": names, "ExpressionAttributeValues": values,
                });
                let _turn = self.0.turn.blocking_lock();
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
