//! Claims the request of an execution, so that no other function sends it at the same time.

use calls::{Calls, Error, WriteOutcome};
use domain::{Change, Execution, Timestamp};

use crate::driver::Driver;

/// Storing a row or writing a claim takes less than this, in seconds, or its request is not sent yet: any write that is
/// answered at its first try does. A sending takes up to 6 seconds, and 10 seconds after the claim another function may
/// send the request.
pub(crate) const MAX_CLAIM_SECONDS: u32 = 4;

impl<C: Calls> Driver<'_, C> {
    /// Claims a request. Returns the claimed row; none if the request must not be sent, or another function has claimed
    /// it.
    ///
    /// # Errors
    /// A failed write, or one that was lost as often as the retry policy allows.
    pub async fn claim(&self, row: Execution) -> Result<Option<Execution>, Error> {
        self.write_claim(row, Execution::claim).await
    }

    /// Claims a request that was sent before its device came online at `online_since`, and is not acknowledged.
    ///
    /// # Errors
    /// As [`Self::claim`].
    pub async fn claim_again(&self, row: Execution, online_since: Timestamp) -> Result<Option<Execution>, Error> {
        self.write_claim(row, |row, now, token| row.claim_again(online_since, now, token)).await
    }

    async fn write_claim(
        &self,
        mut row: Execution,
        decide: impl Fn(&Execution, Timestamp, &str) -> Option<Change>,
    ) -> Result<Option<Execution>, Error> {
        // Not only the id of the event: Lambda may handle an event twice at the same time, and each must recognize its
        // own claim.
        let token = format!("{}/{:x}", self.token, self.calls.nonce());
        let mut retries = self.retries("claiming an execution", row.key.clone());
        loop {
            let now = self.now();
            let Some(claim) = decide(&row, now, &token) else { return Ok(None) };
            let claimed = match self.write(row, &claim).await? {
                WriteOutcome::Applied(row) => Some(row),
                // The claim was written, and only the answer was lost.
                WriteOutcome::Conflict(row) if row.is_claimed_by(&claim) => Some(row),
                // Only the due entry was changed.
                WriteOutcome::Conflict(other) if other.has_progress_claimed_by(&claim) => {
                    row = other;
                    retries.wait().await?;
                    continue;
                }
                WriteOutcome::Conflict(_) | WriteOutcome::NotFound => None,
            };
            // If too little time is left for the sending, the request is claimed again after this claim has ended.
            return Ok(claimed.filter(|_| self.now() < now.plus_seconds(MAX_CLAIM_SECONDS)));
        }
    }
}
