//! One attempt at a call of a function to a service, as a plan sees it.

use bytes::Bytes;

/// One attempt at a call that a function makes to a service.
#[derive(Clone, Debug)]
pub struct Call {
    /// The function's name.
    pub function: String,
    /// Request id of the invoke that makes the call; a retried asynchronous event keeps its id.
    pub invoke: String,
    /// Number of the call in that invoke and process; the first is 1.
    pub nth: u32,
    /// Number of the SDK's attempt at the call; the first is 1.
    pub attempt: u32,
    /// Service and operation: `DynamoDB.UpdateItem`, `SQS.SendMessage`, `IotData.Publish`,
    /// `IotData.SendDirectMessage`, `IotData.UpdateThingShadow`, `Iot.SearchIndex`, `Lambda.Invoke`.
    pub operation: String,
    /// Path and query, percent-decoded; they contain topics, client ids and thing names.
    pub path: String,
    /// Body of the request; it contains table names and keys.
    pub body: Bytes,
    pub(super) process: u64,
}

impl Call {
    /// Fills in the members that the request itself contains.
    pub fn with_request(self, operation: String, path: String, body: Bytes) -> Self {
        Self { operation, path, body, ..self }
    }
}
