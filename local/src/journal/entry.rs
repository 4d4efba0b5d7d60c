//! What can be in the journal.

use bytes::Bytes;
use serde_json::Value;

use super::Origin;
use crate::faults::{Delivery, Fault, Transit};
use crate::lambda::Outcome;

/// Something that happened.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When, in milliseconds since 1970 on the stack's clock.
    pub at_ms: i64,
    /// The invoke of a function whose call it happened in.
    pub origin: Option<Origin>,
    /// What.
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A function's call of a service has ended.
    Called {
        /// `DynamoDB.UpdateItem`, `IotData.Publish` and so on, see [`crate::faults::Call`].
        operation: String,
        /// Path and query.
        path: String,
        /// Which call of the invoke, and which attempt of the SDK at it; both begin at 1.
        nth: u32,
        /// See `nth`.
        attempt: u32,
        /// What was answered; `None` where nobody was left to hear it, or the connection broke.
        status: Option<u16>,
        /// What befell it.
        fault: Option<Fault>,
    },
    /// An item of a table was written: in the order in which the database did it. One that stays as it was is here too.
    Written {
        /// The table's name.
        table: String,
        /// The item's key, in DynamoDB's JSON.
        key: Value,
        /// `UpdateItem` and its like.
        operation: String,
        /// The whole item as it was; `None` where there was none.
        before: Option<Value>,
        /// The whole item as it is; `None` where it was deleted.
        after: Option<Value>,
    },
    /// The broker took a message, by whomever.
    Published {
        /// Its topic.
        topic: String,
        /// Its payload.
        payload: Bytes,
        /// The client that published it; `None` for the data plane and for AWS itself.
        client: Option<String>,
    },
    /// The broker wrote a message to a client, or lost it on the way.
    Handed {
        /// The client's id.
        client: String,
        /// Its topic.
        topic: String,
        /// Its payload.
        payload: Bytes,
        /// 0 or 1.
        qos: u8,
        /// Whether it is sent again, after the client came back.
        duplicate: bool,
        /// What became of it.
        transit: Transit,
    },
    /// The outcome of SendDirectMessage.
    Direct {
        /// The client's id.
        client: String,
        /// Its topic.
        topic: String,
        /// Its payload.
        payload: Bytes,
        /// What the sender was told.
        outcome: Result<(), String>,
    },
    /// A shadow was updated.
    Shadow {
        /// The thing's name.
        thing: String,
        /// The shadow's; `None` for the classic one.
        shadow: Option<String>,
        /// The version that it has now.
        version: u64,
        /// The whole document: `state`, `metadata`, `version`.
        document: Value,
    },
    /// An asynchronous event is not delivered once and at once.
    Misdelivered {
        /// The function's name.
        function: String,
        /// The event.
        payload: Bytes,
        /// What becomes of it.
        delivery: Delivery,
    },
    /// An invoke of a function begins; a retry is an invoke of its own with the same id.
    Began {
        /// The function's name.
        function: String,
        /// The request id.
        invoke: String,
        /// The event.
        payload: Bytes,
    },
    /// It has ended.
    Ended {
        /// The function's name.
        function: String,
        /// The request id.
        invoke: String,
        /// How.
        outcome: Outcome,
    },
}
