//! How many of a command's executions have ended, and how: what its rollout and its abort criteria look at.

/// Executions that have ended. They are counts, of one command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ends {
    /// All that have ended: `SUCCEEDED`, `FAILED`, `REJECTED`, `TIMED_OUT` or `CANCELED`.
    pub executed: u64,
    /// `SUCCEEDED`.
    pub succeeded: u64,
    /// `FAILED`.
    pub failed: u64,
    /// `REJECTED`.
    pub rejected: u64,
    /// `TIMED_OUT`, for whatever reason.
    pub timed_out: u64,
    /// `CANCELED`.
    pub canceled: u64,
    /// Those of `timed_out` that went out and were not heard of, or not any more: `NO_RESPONSE` or `HEARTBEAT_LOST`. Not
    /// `EXPIRED`, which never went out: that says nothing of the device.
    pub no_response: u64,
}
