//! The kinds of entries in the journal.

use bytes::Bytes;
use local_faults::{Delivery, Fault, Transit};
use serde_json::Value;

use super::{InvokeOutcome, Origin};

/// An event, its time and its cause.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Time of the event on the stack's clock, in milliseconds since 1970.
    pub at_ms: i64,
    /// The invoke of a function whose call caused the event; `None` for an event without one.
    pub origin: Option<Origin>,
    /// The event itself.
    pub event: Event,
}

/// An event that the stack records.
#[derive(Clone, Debug)]
pub enum Event {
    /// A function's call of a service has ended.
    Called {
        /// `DynamoDB.UpdateItem`, `IotData.Publish` and so on, see [`local_faults::Call`].
        operation: String,
        /// Path and query.
        path: String,
        /// Number of the call in its invoke; the first is 1.
        nth: u32,
        /// Number of the SDK's attempt at the call; the first is 1.
        attempt: u32,
        /// HTTP status of the answer; `None` if the caller was dead by then, or the connection broke.
        status: Option<u16>,
        /// The fault that was injected.
        fault: Option<Fault>,
    },
    /// An item of a table was written. The order of entries is the database's; a write that changes nothing is recorded
    /// too.
    Written {
        /// The table's name.
        table: String,
        /// The item's key, in DynamoDB's JSON.
        key: Value,
        /// Name of the operation, such as `UpdateItem`.
        operation: String,
        /// The whole item before the write; `None` if there was none.
        before: Option<Value>,
        /// The whole item after the write; `None` if it was deleted.
        after: Option<Value>,
    },
    /// The broker accepted a message from a client or a service.
    Published {
        /// The message's topic.
        topic: String,
        /// The message's payload.
        payload: Bytes,
        /// The client that published it; `None` for the data plane and for AWS itself.
        client: Option<String>,
    },
    /// The broker wrote a message to a client, or a fault lost it on its way.
    Handed {
        /// The client's id.
        client: String,
        /// The message's topic.
        topic: String,
        /// The message's payload.
        payload: Bytes,
        /// Quality of service, 0 or 1.
        qos: u8,
        /// Whether the message is sent again after the client reconnected (DUP).
        duplicate: bool,
        /// How the message arrived.
        transit: Transit,
    },
    /// A SendDirectMessage ended.
    Direct {
        /// The client's id.
        client: String,
        /// The message's topic.
        topic: String,
        /// The message's payload.
        payload: Bytes,
        /// The answer to the sender; the error is its text.
        outcome: Result<(), String>,
    },
    /// A shadow was updated.
    Shadow {
        /// The thing's name.
        thing: String,
        /// The shadow's name; `None` for the classic shadow.
        shadow: Option<String>,
        /// The shadow's new version.
        version: u64,
        /// The whole document: `state`, `metadata`, `version`.
        document: Value,
    },
    /// A fault delays, repeats or drops an asynchronous event.
    Misdelivered {
        /// The function's name.
        function: String,
        /// The event.
        payload: Bytes,
        /// How the event is delivered.
        delivery: Delivery,
    },
    /// An attempt at an invoke starts; each retry is recorded, with the same request id.
    Began {
        /// The function's name.
        function: String,
        /// The request id.
        invoke: String,
        /// The event.
        payload: Bytes,
    },
    /// An attempt at an invoke ended.
    Ended {
        /// The function's name.
        function: String,
        /// The request id.
        invoke: String,
        /// How the attempt ended.
        outcome: InvokeOutcome,
    },
}
