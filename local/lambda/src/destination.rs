//! The record that Lambda sends to an on-failure destination for an event that it discards
//! (Lambda developer guide, "Capturing records of Lambda asynchronous invocations").

use serde_json::{Map, Value, json};

use super::events::Event;

/// Reason for discarding an event; the `condition` of its record.
#[derive(Clone, Copy, Debug)]
pub(super) enum Condition {
    RetriesExhausted,
    EventAgeExceeded,
}

/// The record as JSON text; `arn` is the function's ARN without a version.
pub(super) fn record(event: &Event, arn: &str, condition: Condition, now_ms: i64) -> String {
    let mut record = Map::new();
    record.insert("version".to_owned(), "1.0".into());
    record.insert("timestamp".to_owned(), timestamp(now_ms).into());
    record.insert(
        "requestContext".to_owned(),
        json!({
            "requestId": event.id,
            "functionArn": format!("{arn}:$LATEST"),
            "condition": format!("{condition:?}"),
            "approximateInvokeCount": event.attempts,
        }),
    );
    record.insert("requestPayload".to_owned(), payload(&event.payload));
    // An event without an attempt has no response.
    if let Some(last) = &event.last {
        let context = json!({ "statusCode": 200, "executedVersion": "$LATEST", "functionError": last.error });
        record.insert("responseContext".to_owned(), context);
        record.insert("responsePayload".to_owned(), payload(&last.payload));
    }
    Value::Object(record).to_string()
}

/// The payload as JSON; a payload that is not JSON becomes a string.
fn payload(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|_| String::from_utf8_lossy(bytes).into())
}

fn timestamp(epoch_ms: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(epoch_ms).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
