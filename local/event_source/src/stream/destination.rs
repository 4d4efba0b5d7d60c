//! The record of a discarded batch, as Lambda sends it to an on-failure destination
//! (Lambda developer guide, "Retain discarded records for a DynamoDB event source").

use serde_json::{Value, json};

use super::batch::Batch;

/// Why a batch was discarded.
#[derive(Clone, Copy, Debug)]
pub(super) enum Condition {
    RetryAttemptsExhausted,
    RecordAgeExceeded,
}

pub(super) fn record(
    batch: &Batch,
    function_arn: &str,
    stream_arn: &str,
    shard: &str,
    condition: Condition,
    now_ms: i64,
) -> String {
    let (first, last) = (batch.records.first(), batch.records.last());
    let arrival = |record: Option<&std::sync::Arc<local_streams::Record>>| {
        record.map(|record| time(record.created_ms, "%Y-%m-%dT%H:%M:%SZ"))
    };
    let mut document = json!({
        "requestContext": {
            "requestId": uuid::Uuid::new_v4().to_string(),
            "functionArn": function_arn,
            "condition": format!("{condition:?}"),
            "approximateInvokeCount": batch.invokes,
        },
        "version": "1.0",
        "timestamp": time(now_ms, "%Y-%m-%dT%H:%M:%S%.3fZ"),
        "DDBStreamBatchInfo": {
            "shardId": shard,
            "startSequenceNumber": first.map(|record| &record.sequence),
            "endSequenceNumber": last.map(|record| &record.sequence),
            "approximateArrivalOfFirstRecord": arrival(first),
            "approximateArrivalOfLastRecord": arrival(last),
            "batchSize": batch.records.len(),
            "streamArn": stream_arn,
        },
    });
    // Without an invoke there is no response.
    if let (Some(outcome), Value::Object(document)) = (&batch.last, &mut document) {
        let context = json!({"statusCode": 200, "executedVersion": "$LATEST", "functionError": outcome.error});
        document.insert("responseContext".into(), context);
    }
    document.to_string()
}

pub(super) fn time(epoch_ms: i64, format: &str) -> String {
    jiff::Timestamp::from_millisecond(epoch_ms).unwrap_or_default().strftime(format).to_string()
}
