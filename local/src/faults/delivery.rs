//! What can befall an asynchronous event, and a message on its way to a client.

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

pub(super) type DecideEvent = Box<dyn FnMut(&AsyncEvent<'_>) -> Delivery + Send>;
pub(super) type DecideMessage = Box<dyn FnMut(&Outbound<'_>) -> Transit + Send>;

#[derive(Default)]
pub(super) struct Deliveries {
    pub(super) events: Option<DecideEvent>,
    pub(super) messages: Option<DecideMessage>,
    /// Each runs one event.
    pub(super) held: Vec<Box<dyn FnOnce() + Send>>,
}
