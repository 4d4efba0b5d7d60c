//! One request of a function to a service, as a plan sees it.

use bytes::Bytes;

/// One attempt at a call that a function makes of a service.
#[derive(Clone, Debug)]
pub struct Call {
    /// The function's name.
    pub function: String,
    /// The request id of the invoke that the process works on; a retried asynchronous event keeps its id.
    pub invoke: String,
    /// Which call of that invoke it is, in that process; the first is 1.
    pub nth: u32,
    /// Which attempt of the SDK at this call; the first is 1.
    pub attempt: u32,
    /// Service and operation: `DynamoDB.UpdateItem`, `SQS.SendMessage`, `IotData.Publish`,
    /// `IotData.SendDirectMessage`, `IotData.UpdateThingShadow`, `Iot.SearchIndex`, `Lambda.Invoke`.
    pub operation: String,
    /// Path and query, percent-decoded: topics, clients and things are in it.
    pub path: String,
    /// The request's body, where tables and keys are.
    pub body: Bytes,
    pub(crate) process: u64,
}
