//! The record of an event that failed for good, as Lambda sends it to an on-failure destination
//! (Lambda developer guide, "Capturing records of Lambda asynchronous invocations").

use serde_json::{Map, Value, json};

use super::events::Event;

/// Why an event was given up.
#[derive(Clone, Copy, Debug)]
pub(super) enum Condition {
    RetriesExhausted,
    EventAgeExceeded,
}

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
    // An event that never ran has no response.
    if let Some(last) = &event.last {
        let context = json!({ "statusCode": 200, "executedVersion": "$LATEST", "functionError": last.error });
        record.insert("responseContext".to_owned(), context);
        record.insert("responsePayload".to_owned(), payload(&last.payload));
    }
    Value::Object(record).to_string()
}

/// Payloads are JSON; what is not is kept as text, so that nothing is lost.
fn payload(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|_| String::from_utf8_lossy(bytes).into())
}

fn timestamp(epoch_ms: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(epoch_ms).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
