//! Faults of deliveries: asynchronous events, batches of streams, and messages to MQTT clients.

use std::time::Duration;

use bytes::Bytes;

/// An asynchronous event that was accepted for a function.
#[derive(Clone, Copy, Debug)]
pub struct AsyncEvent<'a> {
    /// The function's name.
    pub function: &'a str,
    /// The event, in JSON.
    pub payload: &'a Bytes,
}

/// How an asynchronous event is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Once and at once, without a fault.
    Once,
    /// Twice, with the same request id; Lambda delivers at least once.
    Twice,
    /// After this time on the stack's clock.
    After(Duration),
    /// When [`Faults::release`](super::Faults::release) is called.
    Held,
    /// Not at all.
    Never,
}

/// A message that the broker is about to write to a client.
#[derive(Clone, Copy, Debug)]
pub struct Outbound<'a> {
    /// The client's id.
    pub client: &'a str,
    /// The message's topic.
    pub topic: &'a str,
    /// The message's payload.
    pub payload: &'a Bytes,
    /// Quality of service, 0 or 1.
    pub qos: u8,
    /// Whether the message is a direct message.
    pub direct: bool,
}

/// How a message to a client arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transit {
    /// Once, without a fault.
    Delivered,
    /// Twice in a row.
    Twice,
    /// Not at all. At QoS 1 the message is sent again when the client reconnects; the sender of a direct message gets
    /// the answer for a missing PUBACK at once.
    Lost,
    /// The message arrives, and its PUBACK is lost: at QoS 1 it is sent again when the client reconnects; the sender of
    /// a direct message gets the answer for a missing PUBACK at once.
    Unacknowledged,
}

/// A batch of a stream that is about to be sent to its function.
#[derive(Clone, Copy, Debug)]
pub struct StreamBatch<'a> {
    /// The function's name.
    pub function: &'a str,
    /// Name of the stream's table.
    pub table: &'a str,
    /// The shard's id.
    pub shard: &'a str,
    /// Number of records.
    pub records: usize,
    /// Number of the attempt; the first is 1.
    pub attempt: u32,
}

/// How a batch of a stream is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamDelivery {
    /// Once, without a fault.
    Once,
    /// Twice in a row, even if the first invoke fails.
    Twice,
    /// In two batches: first this number of records, then the rest.
    First(usize),
    /// Once; then the reader continues this number of records before the batch, even if the invoke fails.
    ThenBack(usize),
}

pub(super) type DecideEvent = Box<dyn FnMut(&AsyncEvent<'_>) -> Delivery + Send>;
pub(super) type DecideBatch = Box<dyn FnMut(&StreamBatch<'_>) -> StreamDelivery + Send>;
pub(super) type DecideMessage = Box<dyn FnMut(&Outbound<'_>) -> Transit + Send>;

#[derive(Default)]
pub(super) struct Deliveries {
    pub(super) events: Option<DecideEvent>,
    pub(super) messages: Option<DecideMessage>,
    pub(super) batches: Option<DecideBatch>,
    /// Held events; a call delivers one.
    pub(super) held: Vec<Box<dyn FnOnce() + Send>>,
}
