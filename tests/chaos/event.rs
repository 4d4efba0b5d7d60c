//! The events of a schedule that happen at a planned time.

use bytes::Bytes;

use crate::{device::Timer, invocation::Invocation, transport::Request};

/// Commands, cancels and things are named by their index in the scenario.
pub enum Event {
    /// The operator creates a command.
    CreateCommand(usize),
    /// The operator cancels a command.
    CancelCommand(usize),
    /// The operator reads the executions of a command.
    ReadExecutions(usize),
    /// The operator reads a command.
    ReadCommand(usize),
    /// A device reports a command of another application.
    SendForeignReport(usize),
    /// Another writer changes the shadows of a thing.
    WriteForeignState(usize),
    /// An event reaches its function.
    Invoke(Invocation),
    /// Lambda's timeout of an invocation.
    Timeout {
        container: usize,
        number: u64,
    },
    /// The schedule fires; its event has this time.
    Tick {
        scheduled_ms: i64,
    },
    /// A mapping reads the next records of a stream.
    ReadStream {
        reader: usize,
    },
    /// AWS applies a delayed call, whose caller no longer waits.
    ApplyDelayedCall(Request),
    /// A message reaches a device over a connection.
    Deliver {
        thing: usize,
        connection: u64,
        topic: String,
        payload: Bytes,
        packet_id: Option<u16>,
    },
    /// A connection breaks.
    Break {
        thing: usize,
        connection: u64,
    },
    Connect {
        thing: usize,
    },
    GoOffline {
        thing: usize,
        duration_ms: i64,
        loses_power: bool,
    },
    ComeOnline {
        thing: usize,
        lost_power: bool,
    },
    /// A timer of a device; it does nothing after a later boot.
    Timer {
        thing: usize,
        boot: u32,
        timer: Timer,
    },
}
