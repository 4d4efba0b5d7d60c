//! Claiming of a batch: the time-limited right of one invocation to process it.

use crate::fleet::batch::row::{Batch, BatchClaim};
use crate::timestamp::Timestamp;

impl Batch {
    /// How long a claim lasts. It must be longer than an invocation works on a batch.
    pub const CLAIM_SECONDS: u32 = 60;

    /// The claimed batch; none if it is claimed by another invocation, or there is nothing to do.
    pub fn claim(&self, now: Timestamp, token: &str) -> Option<Self> {
        let is_claimed = self.claim.as_ref().is_some_and(|claim| claim.until > now);
        let has_work = self.ready || self.is_monitor_due(now) || self.claim.is_some() || self.has_unsent();
        if is_claimed || !has_work {
            return None;
        }
        let until = now.plus_seconds(Self::CLAIM_SECONDS);
        let claim = Some(BatchClaim { token: token.to_owned(), until });
        // The due entry is moved only if it would come up during the claim: moving an entry of the index costs two
        // writes.
        let due_at = match self.due_at {
            Some(due) if due >= until.as_seconds_rounded_up() => Some(due),
            _ => Some(until.as_seconds_rounded_up()),
        };
        Some(Self { ready: false, claim, due_at, ..self.next() })
    }

    /// Whether the claim with this token is the current one.
    pub fn is_claimed_by(&self, token: &str) -> bool {
        self.claim.as_ref().is_some_and(|claim| claim.token == token)
    }
}
