//! A batch of records of a table's stream, as Lambda hands it over: Amazon DynamoDB Developer Guide, "DynamoDB Streams and AWS Lambda
//! triggers".

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::failure::Failure;

/// The event.
#[derive(Debug, Deserialize)]
pub struct Event {
    /// The records, in the order of their shard.
    #[serde(rename = "Records")]
    pub records: Vec<Record>,
    /// Which shard, where the mapping has windows: nothing else says so.
    #[serde(rename = "shardId")]
    pub shard: Option<String>,
    /// Which stream, as the shard.
    #[serde(rename = "eventSourceARN")]
    pub stream: Option<String>,
}

/// A change of an item.
#[derive(Debug, Deserialize)]
pub struct Record {
    /// What it says.
    pub dynamodb: Changes,
}

/// What it says.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Changes {
    /// The item's key, in DynamoDB's JSON.
    pub keys: Value,
    /// The record's place in its shard.
    pub sequence_number: String,
    /// The item as it was.
    #[serde(default)]
    pub old_image: Option<Value>,
    /// The item as it is.
    #[serde(default)]
    pub new_image: Option<Value>,
}

/// From which records on everything has to come again.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    batch_item_failures: Vec<ItemFailure>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ItemFailure {
    item_identifier: String,
}

impl Event {
    /// The event, if it is one.
    pub fn decode(event: &str) -> Result<Self, Failure> {
        serde_json::from_str(event).map_err(Failure::Event)
    }
}

impl Answer {
    /// Those whose records are named have to come again.
    pub fn failed<'a>(records: impl IntoIterator<Item = &'a str>) -> Self {
        let failure = |sequence: &str| ItemFailure { item_identifier: sequence.to_owned() };
        Self { batch_item_failures: records.into_iter().map(failure).collect() }
    }

    /// Whether all were seen to.
    pub fn is_complete(&self) -> bool {
        self.batch_item_failures.is_empty()
    }
}

/// The same, of a mapping that has windows: it wants back what it is to hand over with the next records of the window, which is nothing.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Windowed {
    #[serde(flatten)]
    answer: Answer,
    state: State,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct State {}

impl Windowed {
    /// The answer, with nothing to hand over.
    pub fn new(answer: Answer) -> Self {
        Self { answer, state: State {} }
    }
}
