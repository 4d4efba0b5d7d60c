//! `OutcomeCounts`: how many executions of a command have ended with each status. Rollouts and abort criteria read it.

/// Numbers of ended executions of one command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct OutcomeCounts {
    /// All ended executions: `SUCCEEDED`, `FAILED`, `REJECTED`, `TIMED_OUT` or `CANCELED`.
    pub executed: u64,
    /// `SUCCEEDED`.
    pub succeeded: u64,
    /// `FAILED`.
    pub failed: u64,
    /// `REJECTED`.
    pub rejected: u64,
    /// `TIMED_OUT`, with any reason.
    pub timed_out: u64,
    /// `CANCELED`.
    pub canceled: u64,
    /// The part of `timed_out` with the reason `NO_RESPONSE` or `HEARTBEAT_LOST`: the request was sent and the device
    /// fell silent. `EXPIRED` is not part of it: such a request was never sent.
    pub no_response: u64,
}

impl OutcomeCounts {
    /// The outcomes that were added after `earlier`. Counts that lag behind `earlier` give zero.
    pub(super) fn since(&self, earlier: &Self) -> Self {
        Self {
            executed: self.executed.saturating_sub(earlier.executed),
            succeeded: self.succeeded.saturating_sub(earlier.succeeded),
            failed: self.failed.saturating_sub(earlier.failed),
            rejected: self.rejected.saturating_sub(earlier.rejected),
            timed_out: self.timed_out.saturating_sub(earlier.timed_out),
            canceled: self.canceled.saturating_sub(earlier.canceled),
            no_response: self.no_response.saturating_sub(earlier.no_response),
        }
    }
}
