//! The event of a batch of messages, and the messages that failed by the function's answer.

use std::collections::BTreeSet;

use local_lambda::InvokeOutcome;
use local_sqs::{Message, Sqs};
use serde::Deserialize;
use serde_json::{Map, Value, json};

pub(super) fn event(sqs: &Sqs, messages: &[Message], queue_arn: &str, region: &str) -> String {
    let record = |message: &Message| {
        let attributes = sqs.system_attributes(message).map(|(name, value)| (name.to_owned(), value.into()));
        json!({
            "messageId": message.id,
            "receiptHandle": message.receipt,
            "body": message.body,
            "attributes": Map::from_iter(attributes),
            "messageAttributes": {},
            "md5OfBody": message.md5(),
            "eventSource": "aws:sqs",
            "eventSourceARN": queue_arn,
            "awsRegion": region,
        })
    };
    json!({ "Records": messages.iter().map(record).collect::<Vec<Value>>() }).to_string()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    batch_item_failures: Option<Vec<ItemFailure>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ItemFailure {
    item_identifier: String,
}

/// The ids of the messages that failed. An answer that cannot be read, or that names a message outside the batch, fails
/// all of them.
pub(super) fn failed(outcome: &InvokeOutcome, partial_failures: bool, messages: &[Message]) -> BTreeSet<String> {
    let all = || messages.iter().map(|message| message.id.clone()).collect();
    if outcome.error.is_some() {
        return all();
    }
    if !partial_failures || outcome.payload.is_empty() {
        return BTreeSet::new();
    }
    let Ok(answer) = serde_json::from_slice::<Option<Answer>>(&outcome.payload) else { return all() };
    let failures = answer.unwrap_or_default().batch_item_failures.unwrap_or_default();
    let named: BTreeSet<_> = failures.into_iter().map(|failure| failure.item_identifier).collect();
    if named.iter().all(|id| messages.iter().any(|message| message.id == *id)) { named } else { all() }
}
