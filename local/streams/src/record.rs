//! One change of an item, and its record as a function sees it.

use local_resources::StreamView;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// A change of an item.
#[derive(Clone, Debug)]
pub struct Change {
    /// The item's key attributes, in DynamoDB's JSON.
    pub key: Value,
    /// The whole item before the write.
    pub before: Option<Value>,
    /// The whole item after the write.
    pub after: Option<Value>,
    /// Whether the TTL sweep deleted the item.
    pub expired: bool,
}

/// A change at its position in a shard.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Number of records that the shard had before this one.
    #[serde(skip)]
    pub offset: u64,
    /// `SequenceNumber`.
    pub sequence: String,
    /// Time of the write, in milliseconds since 1970.
    pub created_ms: i64,
    /// Hash of the item's partition key.
    pub hash: u64,
    /// The record in JSON, as an event holds it.
    pub json: String,
}

/// The stream of a change, and its number in the stream.
pub(super) struct Place<'a> {
    pub stream_arn: &'a str,
    pub view: StreamView,
    pub number: u64,
    pub now_ms: i64,
}

/// Hash of a partition key.
pub(super) fn hash(partition_key: &Value) -> u64 {
    let digest = Sha256::digest(partition_key.to_string());
    digest.iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

/// `SequenceNumber`: of constant length, so that strings compare as numbers do.
pub(super) fn sequence(number: u64) -> String {
    format!("1{number:020}")
}

/// The record of a change, in JSON; `None` if nothing has changed.
pub(super) fn json(change: Change, hash: u64, place: &Place<'_>) -> Option<String> {
    let name = match (&change.before, &change.after) {
        (None, None) => return None,
        (None, Some(_)) => "INSERT",
        (Some(_), None) => "REMOVE",
        (Some(before), Some(after)) if before == after => return None,
        (Some(_), Some(_)) => "MODIFY",
    };
    let old = change.before.filter(|_| place.view.has_old());
    let new = change.after.filter(|_| place.view.has_new());
    let bytes = [Some(&change.key), old.as_ref(), new.as_ref()].into_iter().flatten().map(item_size).sum::<usize>();
    let mut dynamodb = Map::new();
    dynamodb.insert("ApproximateCreationDateTime".into(), place.now_ms.div_euclid(1000).into());
    dynamodb.insert("Keys".into(), change.key);
    for (image, item) in [("NewImage", new), ("OldImage", old)] {
        if let Some(item) = item {
            dynamodb.insert(image.into(), item);
        }
    }
    dynamodb.insert("SequenceNumber".into(), sequence(place.number).into());
    dynamodb.insert("SizeBytes".into(), bytes.into());
    dynamodb.insert("StreamViewType".into(), place.view.name().into());
    let mut record = json!({
        "eventID": format!("{hash:016x}{:016x}", place.number),
        "eventName": name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": place.stream_arn.split(':').nth(3).unwrap_or_default(),
        "dynamodb": dynamodb,
        "eventSourceARN": place.stream_arn,
    });
    if change.expired {
        record["userIdentity"] = json!({"type": "Service", "principalId": "dynamodb.amazonaws.com"});
    }
    Some(record.to_string())
}

/// Size of an item as DynamoDB counts it: attribute names and values.
fn item_size(item: &Value) -> usize {
    let attributes = item.as_object().into_iter().flatten();
    attributes.map(|(name, value)| name.len() + value_size(value)).sum()
}

fn value_size(value: &Value) -> usize {
    let Some((kind, value)) = value.as_object().and_then(|value| value.iter().next()) else { return 0 };
    let each = |size: fn(&Value) -> usize| value.as_array().into_iter().flatten().map(size).sum::<usize>();
    match kind.as_str() {
        "N" => number_size(value),
        "B" => binary_size(value),
        "SS" => each(text_size),
        "NS" => each(number_size),
        "BS" => each(binary_size),
        "L" => 3 + each(|value| 1 + value_size(value)),
        "M" => {
            let members = value.as_object().into_iter().flatten();
            3 + members.map(|(name, value)| 1 + name.len() + value_size(value)).sum::<usize>()
        }
        "BOOL" | "NULL" => 1,
        _ => text_size(value),
    }
}

fn text_size(value: &Value) -> usize {
    value.as_str().map_or(0, str::len)
}

/// One byte for two digits, and one more.
fn number_size(value: &Value) -> usize {
    value.as_str().map_or(0, |digits| digits.bytes().filter(u8::is_ascii_digit).count().div_ceil(2) + 1)
}

fn binary_size(value: &Value) -> usize {
    value.as_str().map_or(0, |base64| base64.trim_end_matches('=').len() * 3 / 4)
}
