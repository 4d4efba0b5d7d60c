//! Reads and writes of a test behind the API: tables, shadows, invocations of functions, and metrics.

use serde_json::{Value, json};

use super::World;
use crate::deadline::waiting;

impl World {
    /// A whole shadow document as the shadow service holds it; null where there is none.
    pub fn shadow(&self, thing: &str, name: Option<&str>) -> Value {
        self.stack.shadows.get(thing, name).unwrap_or(Value::Null)
    }

    /// Updates a shadow as a third writer, neither the device nor a function. The update must be accepted.
    pub fn update_shadow(&self, thing: &str, name: Option<&str>, state: &Value) {
        let body = json!({ "state": state }).to_string();
        self.stack.shadows.update(thing, name, body.as_bytes()).expect("a shadow update");
    }

    /// Calls DynamoDB directly. The call must succeed.
    pub async fn dynamodb(&self, operation: &str, input: &Value) -> Value {
        let request = self
            .http
            .post(format!("http://{}/", self.stack.addresses.endpoint))
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header("content-type", "application/x-amz-json-1.0")
            .body(input.to_string());
        let response = waiting(format!("the response to {operation}"), request.send()).await.expect("a response");
        let status = response.status();
        let text = response.text().await.expect("text");
        assert!(status.is_success(), "{operation}: {text}");
        serde_json::from_str(&text).expect("JSON")
    }

    /// All items of a table in DynamoDB's JSON, sorted by key.
    pub async fn rows(&self, table: &str) -> Vec<Value> {
        let (mut rows, mut request) = (Vec::new(), json!({"TableName": table, "ConsistentRead": true}));
        loop {
            let body = self.dynamodb("Scan", &request).await;
            rows.extend(body["Items"].as_array().unwrap_or_else(|| panic!("{body}")).iter().cloned());
            match body.get("LastEvaluatedKey") {
                Some(key) => request["ExclusiveStartKey"] = key.clone(),
                None => break,
            }
        }
        rows.sort_by_key(|row| format!("{}{}", row["pk"], row["sk"]));
        rows
    }

    /// Invokes a function with an event, as AWS would. Returns its response, or its error.
    pub async fn invoke(&self, function: &str, event: &str) -> Result<Value, Value> {
        let name = format!("flaghoist-{function}");
        let invoke = self.stack.lambda.invoke(&name, event.to_owned().into());
        let outcome = waiting(format!("the response of {name}"), invoke).await.expect("invoked");
        let payload = serde_json::from_slice(&outcome.payload).unwrap_or(Value::Null);
        if outcome.error.is_some() { Err(payload) } else { Ok(payload) }
    }

    /// Sum of a metric over all log lines of a function.
    pub fn counted(&self, function: &str, metric: &str) -> usize {
        let lines = self.stack.lambda.logs(&format!("flaghoist-{function}"));
        let counts = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        counts.filter_map(|line| line[metric].as_u64()).sum::<u64>() as usize
    }
}
