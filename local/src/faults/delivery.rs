//! What can befall an asynchronous event, a batch of a stream, and a message on its way to a client.

use std::time::Duration;

use bytes::Bytes;

/// An asynchronous event that was accepted for a function.
#[derive(Clone, Copy, Debug)]
pub struct AsyncEvent<'a> {
    /// The function's name.
    pub function: &'a str,
    /// The event.
    pub payload: &'a Bytes,
}

/// What becomes of an asynchronous event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It runs, as it should.
    Once,
    /// It runs twice under one request id, which Lambda does now and then.
    Twice,
    /// It runs so much later on the stack's clock.
    After(Duration),
    /// It runs when `Faults::release` says so.
    Held,
    /// It is lost.
    Never,
}

/// A message that is about to be written to a client.
#[derive(Clone, Copy, Debug)]
pub struct Outbound<'a> {
    /// The client's id.
    pub client: &'a str,
    /// Its topic.
    pub topic: &'a str,
    /// Its payload.
    pub payload: &'a Bytes,
    /// 0 or 1.
    pub qos: u8,
    /// Whether it is a direct message.
    pub direct: bool,
}

/// What becomes of a message on its way to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transit {
    /// It arrives, as it should.
    Delivered,
    /// It arrives twice in a row.
    Twice,
    /// It does not arrive. At QoS 1 it is sent again when the client connects again; the sender of a direct message
    /// hears at once that nobody has acknowledged it.
    Lost,
    /// It arrives, and its PUBACK is lost: at QoS 1 it is sent again when the client connects again; the sender of a
    /// direct message hears at once that nobody has acknowledged it.
    Unacknowledged,
}

/// A batch of a stream that is about to be handed to its function.
#[derive(Clone, Copy, Debug)]
pub struct StreamBatch<'a> {
    /// The function's name.
    pub function: &'a str,
    /// The name of the table whose stream it is.
    pub table: &'a str,
    /// The shard's id.
    pub shard: &'a str,
    /// How many records it has.
    pub records: usize,
    /// The first time is 1.
    pub attempt: u32,
}

/// What becomes of a batch of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamDelivery {
    /// It is handed over, as it should.
    Once,
    /// It is handed over twice in a row, whatever the first time ended in.
    Twice,
    /// It is handed over in two: first so many of its records, then the others.
    First(usize),
    /// It is handed over, and then the reader begins again so many records before it, whatever it ended in.
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
    /// Each runs one event.
    pub(super) held: Vec<Box<dyn FnOnce() + Send>>,
}
