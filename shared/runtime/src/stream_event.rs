//! A batch of records of a DynamoDB stream, and the response to it: Amazon DynamoDB Developer Guide, "DynamoDB Streams
//! and AWS Lambda triggers"; AWS Lambda Developer Guide, "Using AWS Lambda with Amazon DynamoDB".

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::handler_error::HandlerError;

/// The event of an event source mapping.
#[derive(Debug, Deserialize)]
pub struct StreamEvent {
    /// The records of one shard, in order.
    #[serde(rename = "Records")]
    pub records: Vec<StreamRecord>,
    /// The shard; only a mapping with TumblingWindowInSeconds names it.
    #[serde(rename = "shardId")]
    pub shard: Option<String>,
    /// The ARN of the stream; named together with the shard.
    #[serde(rename = "eventSourceARN")]
    pub stream: Option<String>,
}

/// One change of one item.
#[derive(Debug, Deserialize)]
pub struct StreamRecord {
    /// Refuses the records of any other service.
    #[serde(rename = "eventSource")]
    _event_source: EventSource,
    /// The key and the images of the item.
    pub dynamodb: ItemImages,
}

/// The constant that Lambda sets in each record of a DynamoDB stream.
#[derive(Debug, Deserialize)]
enum EventSource {
    #[serde(rename = "aws:dynamodb")]
    DynamoDb,
}

/// The key of a changed item, and the item before and after the change, in DynamoDB's JSON.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ItemImages {
    /// The key.
    pub keys: Value,
    /// The position of the record in its shard.
    pub sequence_number: String,
    /// The item before the change; none if it was created.
    #[serde(default)]
    pub old_image: Option<Value>,
    /// The item after the change; none if it was deleted.
    #[serde(default)]
    pub new_image: Option<Value>,
}

/// The records that failed: Lambda retries the shard from the first of them on.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchResponse {
    batch_item_failures: Vec<ItemFailure>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ItemFailure {
    item_identifier: String,
}

impl StreamEvent {
    /// Decodes an event.
    ///
    /// # Errors
    /// [`HandlerError::Event`] if it is not an event of a stream.
    pub fn decode(event: &str) -> Result<Self, HandlerError> {
        serde_json::from_str(event).map_err(HandlerError::Event)
    }
}

impl BatchResponse {
    /// The response if the records with these sequence numbers failed.
    pub fn failed<'a>(sequence_numbers: impl IntoIterator<Item = &'a str>) -> Self {
        let failure = |number: &str| ItemFailure { item_identifier: number.to_owned() };
        Self { batch_item_failures: sequence_numbers.into_iter().map(failure).collect() }
    }
}

/// The response of a mapping with windows. It has to contain the state of the window, which is always empty here.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WindowResponse {
    #[serde(flatten)]
    response: BatchResponse,
    state: WindowState,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct WindowState {}

impl WindowResponse {
    /// The response with the state of its window.
    pub fn new(response: BatchResponse) -> Self {
        Self { response, state: WindowState {} }
    }
}
