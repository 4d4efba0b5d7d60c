//! What a piece of work is known by: one thing's execution, or a command that many things were given at once.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Written as the field of that name, in requests, answers and the memory alike. No command's id is an execution's id, so
/// the text alone tells which work is meant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Id {
    ExecutionId(String),
    /// Of a broadcast. Which execution that is, the cloud derives from the thing that answers.
    CommandId(String),
}

impl Id {
    /// What an envelope is about. An execution is named more precisely than a command.
    pub fn of(envelope: &Value) -> Option<Self> {
        let [execution, command] = Self::all(envelope);
        execution.or(command)
    }

    /// All that an envelope names.
    pub fn all(envelope: &Value) -> [Option<Self>; 2] {
        let text = |field| envelope.get(field).and_then(Value::as_str).filter(|id| is_id(id)).map(str::to_owned);
        [text("executionId").map(Self::ExecutionId), text("commandId").map(Self::CommandId)]
    }

    pub fn as_str(&self) -> &str {
        let (Self::ExecutionId(id) | Self::CommandId(id)) = self;
        id
    }
}

fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}
