//! The actions that an agent returns: start, stop, report, publish.

use serde_json::Value;

/// An action for the device. Actions are done in the order in which the agent returns them.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Run a command, then call `Agent::on_finished`.
    Start {
        /// The execution's id; for a broadcast, the command's id.
        execution_id: String,
        /// The attempt, from 1.
        attempt: u32,
        /// The command's name.
        command: String,
        /// The command's payload; null when the request has none.
        payload: Value,
        /// The command may not start at or after this time, in milliseconds since 1970-01-01 UTC.
        expires_at_ms: i64,
    },
    /// Stop a command that runs: it was canceled. Its outcome is not reported.
    Stop {
        /// The execution's id; for a broadcast, the command's id.
        execution_id: String,
        /// The attempt, from 1.
        attempt: u32,
    },
    /// Publish a report with QoS 1.
    Report {
        /// The topic.
        topic: String,
        /// The report, as JSON.
        bytes: Vec<u8>,
    },
    /// Publish a message to the shadow service with QoS 1: a `get`, or the declaration that the shadow `cmd` is used.
    Publish {
        /// The topic.
        topic: String,
        /// The message, as JSON.
        bytes: Vec<u8>,
    },
}
