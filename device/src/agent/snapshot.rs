//! The format in which an agent's memory is kept over a restart.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::delayed_broadcasts::DelayedBroadcasts;
use super::execution_cache::ExecutionCache;

/// The JSON is not a snapshot of an agent.
#[derive(Debug, thiserror::Error)]
#[error("the JSON is not a snapshot of an agent")]
pub struct BadSnapshot(#[from] serde_json::Error);

/// What an agent remembers.
#[derive(Serialize, Deserialize)]
pub(super) struct Snapshot {
    pub executions: ExecutionCache,
    pub delayed_broadcasts: DelayedBroadcasts,
}

impl Snapshot {
    /// Reads a snapshot. An array is one too: executions alone, as an agent without broadcasts writes them.
    pub fn read(json: Value) -> Result<Self, BadSnapshot> {
        let snapshot = match json {
            Value::Array(_) => {
                Self { executions: serde_json::from_value(json)?, delayed_broadcasts: DelayedBroadcasts::default() }
            }
            _ => serde_json::from_value(json)?,
        };
        Ok(snapshot)
    }

    pub fn write(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}
