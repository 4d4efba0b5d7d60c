//! How many executions of a fleet command have ended, and how.

/// How many executions have ended, and how. Every one that has ended is in `executed`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// All that have ended, whatever the end.
    pub executed: u64,
    /// SUCCEEDED.
    pub succeeded: u64,
    /// FAILED.
    pub failed: u64,
    /// REJECTED.
    pub rejected: u64,
    /// TIMED_OUT.
    pub timed_out: u64,
    /// CANCELED.
    pub canceled: u64,
    /// Those of `timed_out` that went out and fell silent: NO_RESPONSE or HEARTBEAT_LOST.
    pub no_response: u64,
}
