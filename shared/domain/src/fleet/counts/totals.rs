//! `Counts`: how many executions of a command have which status, delivery status and reason.

use crate::fleet::counts::reasons::{MAX_REASONS, OTHER, Reasons};
use crate::fleet::counts::signed_count::shown;
use crate::fleet::outcome_counts::OutcomeCounts;
use crate::status::{DeliveryStatus, Status};

/// The executions of one command. The getters are meant for the sum of all shards ([`Counts::merge`]) and never show
/// less than zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub(super) statuses: [i64; Status::ALL.len()],
    pub(super) deliveries: [i64; DeliveryStatus::ALL.len()],
    pub(super) reasons: Reasons,
    pub(super) no_response: i64,
    pub(super) duplicates: i64,
}

impl Counts {
    /// How many different reasons are counted by name: one for each reason of the cloud, the rest for the first reason
    /// codes that devices send.
    pub const REASONS: usize = MAX_REASONS;

    /// The name under which all later reason codes are counted together.
    ///
    /// A name that is counted stays so, also when its count falls to zero, and no place becomes free: so each reason is
    /// subtracted where it was added. There is one exception. If the devices of a command send more reason codes than
    /// there are places *and* a shard has split, a reason code may be counted by name in the parent and under this name
    /// in the child. Then the two may differ from the truth by the same number. Nothing else that is counted depends on
    /// it.
    pub const OTHER: &str = OTHER;

    /// Executions with this status.
    pub fn status(&self, status: Status) -> u64 {
        shown(self.statuses[status as usize])
    }

    /// Executions with this delivery status, ended ones included.
    pub fn delivery(&self, delivery: DeliveryStatus) -> u64 {
        shown(self.deliveries[delivery as usize])
    }

    /// Executions by reason, ordered by name, without those that are zero. See [`Counts::OTHER`].
    pub fn reasons(&self) -> impl Iterator<Item = (&str, u64)> {
        self.reasons.shown()
    }

    /// Places in batches whose thing has its execution from another batch.
    pub fn duplicates(&self) -> u64 {
        shown(self.duplicates)
    }

    /// Places in batches that were handled: their thing has an execution, from this batch or another one.
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

    /// Executions that have ended, by status.
    pub fn outcomes(&self) -> OutcomeCounts {
        let [succeeded, failed, rejected, timed_out, canceled] =
            [Status::Succeeded, Status::Failed, Status::Rejected, Status::TimedOut, Status::Canceled]
                .map(|status| self.status(status));
        let executed =
            [failed, rejected, timed_out, canceled].into_iter().fold(succeeded, |sum, count| sum.saturating_add(count));
        let no_response = shown(self.no_response);
        OutcomeCounts { executed, succeeded, failed, rejected, timed_out, canceled, no_response }
    }
}
