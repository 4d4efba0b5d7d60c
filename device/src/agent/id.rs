//! The id that names an execution on a device: its own, or for a broadcast the command's.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Serialized as the field `executionId` or `commandId`, in requests, reports and snapshots alike. A command's id never
/// equals an execution's id, so the text alone identifies the execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Id {
    ExecutionId(String),
    /// The command of a broadcast. The cloud derives the execution from it and the reporting thing.
    CommandId(String),
}

impl Id {
    /// The execution that a message names. `executionId` wins over `commandId`, since it is more precise.
    pub fn from_envelope(envelope: &Value) -> Option<Self> {
        let [execution, command] = Self::all_in_envelope(envelope);
        execution.or(command)
    }

    /// Each valid id that a message names: its `executionId`, its `commandId`.
    pub fn all_in_envelope(envelope: &Value) -> [Option<Self>; 2] {
        let text = |field| envelope.get(field).and_then(Value::as_str).filter(|id| is_valid(id)).map(str::to_owned);
        [text("executionId").map(Self::ExecutionId), text("commandId").map(Self::CommandId)]
    }

    pub fn as_str(&self) -> &str {
        let (Self::ExecutionId(id) | Self::CommandId(id)) = self;
        id
    }
}

fn is_valid(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}
