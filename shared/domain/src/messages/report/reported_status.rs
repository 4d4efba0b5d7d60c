//! The status that a device reports, and the words that devices use for it.

/// The status that a device reports for an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportedStatus {
    /// The device has started the command (`seq` 0) or still runs it.
    InProgress {
        /// The heartbeat's sequence number within the attempt, from 1; 0 when the device does not number its
        /// heartbeats.
        seq: u64,
    },
    /// The command has succeeded.
    Succeeded,
    /// The command has failed.
    Failed,
    /// The device refuses the command.
    Rejected,
    /// The device has stopped the command at its own time limit.
    TimedOut,
    /// The device has stopped the command because it was canceled: this confirms the cancel, and changes no status.
    Canceled,
}

impl ReportedStatus {
    /// Reads the words of AWS IoT Commands, and those of two older dialects (SUCCESS, FAILURE, RUNNING), in any case.
    pub(crate) fn parse(word: &str, seq: u64) -> Option<Self> {
        match word.to_ascii_uppercase().as_str() {
            "SUCCEEDED" | "SUCCESS" => Some(Self::Succeeded),
            "FAILED" | "FAILURE" => Some(Self::Failed),
            "IN_PROGRESS" | "RUNNING" => Some(Self::InProgress { seq }),
            "REJECTED" => Some(Self::Rejected),
            "TIMED_OUT" => Some(Self::TimedOut),
            "CANCELED" => Some(Self::Canceled),
            _ => None,
        }
    }
}
