//! What a device receives and does: requests, timers, reports and actions.

use serde::Deserialize;
use serde_json::Value;

use crate::history::ReportedStatus;

/// A request, with the members that the device uses.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// A broadcast has none: then it is the execution that the device has of the command.
    #[serde(default)]
    pub execution_id: String,
    /// The command, of a broadcast, which reports name in place of the execution.
    pub command_id: Option<String>,
    pub attempt: u64,
    /// Seconds since 1970.
    pub expires_at: i64,
    /// Seconds.
    pub heartbeat: Option<i64>,
    /// A broadcast leaves it to the device.
    #[serde(default)]
    pub response_topic: String,
}

/// What a device does at a later time, unless it loses power before.
#[derive(Clone, Debug)]
pub enum Timer {
    Heartbeat {
        execution: String,
        attempt: u64,
    },
    Finish {
        execution: String,
        attempt: u64,
        status: ReportedStatus,
    },
    /// Reports that an Atlas entry is done: its response topic, and the whole desired `command`.
    FinishAtlas {
        topic: String,
        command: Value,
    },
    /// Reports the desired state as adopted.
    AdoptState,
}

pub enum Action {
    StartRun {
        execution: String,
        /// The attempt that the request names; an entry of the Atlas dialect names none.
        attempt: Option<u64>,
    },
    /// Records a request that came in a shadow.
    RecordRequest(Request),
    Send(OutgoingReport),
    SetTimer {
        after_ms: i64,
        timer: Timer,
    },
}

/// A report before it is sent.
#[derive(Clone, Debug)]
pub struct OutgoingReport {
    pub topic: String,
    pub payload: String,
    pub execution: String,
    pub attempt: u64,
    pub status: ReportedStatus,
    /// Whether it names its execution and attempt.
    pub is_named: bool,
}
