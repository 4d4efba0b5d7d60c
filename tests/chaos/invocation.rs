//! An invocation of a function: its event, its source, and how it ends.

use crate::streams::StreamBatch;

/// What invoked a function.
#[derive(Clone, Debug)]
pub enum Invoker {
    /// The HTTP API, to create the command with this index in the scenario.
    CreateCommand(usize),
    /// The HTTP API, for the cancel with this index in the scenario.
    CancelCommand(usize),
    /// The HTTP API, to read the executions of the command with this index in the scenario.
    ReadExecutions(usize),
    /// The HTTP API, to read the command with this index in the scenario.
    ReadCommand(usize),
    /// A topic rule, with the indexes of the device's reports in the history.
    Rule(Vec<usize>),
    Schedule,
    /// The mapping of a table's stream.
    Stream(StreamBatch),
    /// The queue of ticks.
    Queue,
}

/// One event on its way through a function.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// Lambda's request id; a retry keeps it.
    pub id: u64,
    /// Index of the function.
    pub function: usize,
    pub event: String,
    pub invoker: Invoker,
    /// Number of earlier attempts.
    pub retries: u8,
}

/// How a handler ended.
pub enum InvocationOutcome {
    /// HTTP status and body.
    Response(u16, String),
    Done,
    /// The sequence numbers of the records that failed, of an event of a stream.
    Batch(Vec<String>),
    /// The error with its causes.
    Failed(String),
    Panicked,
}
