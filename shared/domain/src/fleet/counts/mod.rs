//! The counts of a fleet command, folded from what a table's stream says of its items, exact whatever comes twice.
//!
//! A stream says of each write what the item was and what it is now: the first is taken away, the second added. Each shard of a
//! stream has its own [`Tally`] of a command, which remembers how far it has come, so that nothing is folded twice; what is shown is
//! the sum of all of them. By itself a shard's counts may be negative: a shard that splits ends, and its children take away what it
//! has added.

mod contribution;
mod folding;
mod reasons;
mod sequence;
mod stored;
mod tally;
#[cfg(test)]
mod tests;

use reasons::Reasons;

pub use contribution::Contribution;
pub use sequence::{SequenceError, SequenceNumber};
pub use stored::CountsError;
pub use tally::{Folded, Tally};

use super::Ends;
use crate::{DeliveryStatus, Status};

/// How many of a command's executions are where. What is asked of it is asked of the sum of all shards
/// ([`Counts::merge`]); nothing that is shown is ever less than none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    statuses: [i64; Status::ALL.len()],
    deliveries: [i64; DeliveryStatus::ALL.len()],
    reasons: Reasons,
    no_response: i64,
    duplicates: i64,
}

/// What is shown: a sum that is still on its way may be less than none for a moment.
fn shown(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

impl Counts {
    /// Executions that have this status.
    pub fn status(&self, status: Status) -> u64 {
        shown(self.statuses[status as usize])
    }

    /// Executions that have this delivery status, also those that have ended.
    pub fn delivery(&self, delivery: DeliveryStatus) -> u64 {
        shown(self.deliveries[delivery as usize])
    }

    /// Executions by reason, by name; only those that there are. See [`Counts::OTHER`].
    pub fn reasons(&self) -> impl Iterator<Item = (&str, u64)> {
        self.reasons.shown()
    }

    /// Things that were found in a second batch, once for each batch but the first.
    pub fn duplicates(&self) -> u64 {
        shown(self.duplicates)
    }

    /// Things of its batches that were seen to: they have an execution, or are known to have it in another batch.
    pub fn reached(&self) -> u64 {
        self.executions().saturating_add(self.duplicates())
    }

    /// All executions.
    pub fn executions(&self) -> u64 {
        shown(self.statuses.iter().fold(0, |sum, count| sum.saturating_add(*count)))
    }

    /// Executions that have not ended.
    pub fn open(&self) -> u64 {
        self.status(Status::Created).saturating_add(self.status(Status::InProgress))
    }

    /// How those ended that have.
    pub fn ends(&self) -> Ends {
        let [succeeded, failed, rejected, timed_out, canceled] =
            [Status::Succeeded, Status::Failed, Status::Rejected, Status::TimedOut, Status::Canceled]
                .map(|status| self.status(status));
        let executed =
            [failed, rejected, timed_out, canceled].into_iter().fold(succeeded, |sum, count| sum.saturating_add(count));
        let no_response = shown(self.no_response);
        Ends { executed, succeeded, failed, rejected, timed_out, canceled, no_response }
    }
}
