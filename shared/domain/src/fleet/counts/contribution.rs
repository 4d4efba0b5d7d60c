//! `Contribution`: what one stored item adds to the counts of its command.

use crate::execution::row::Execution;
use crate::status::{DeliveryStatus, Reason, Status};

/// What one item, as it is stored at one time, adds to the counts of its command.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Contribution {
    /// An execution.
    Execution {
        /// The stored status, which may lag behind the deadlines.
        status: Status,
        /// The stored delivery status.
        delivery_status: DeliveryStatus,
        /// The reason that the API shows: the device's reason code or a [`Reason`].
        reason: Option<String>,
    },
    /// A place in a batch whose thing has its execution from another batch.
    Duplicate,
}

impl Contribution {
    /// The contribution of an execution.
    pub fn of(execution: &Execution) -> Self {
        // A device's report replaces the cloud's provisional verdict, also where it has no reason code.
        let reason = match (&execution.outcome, execution.verdict) {
            (Some(outcome), _) => outcome.code.as_ref().map(|code| code.as_str()),
            (None, verdict) => verdict.map(|verdict| verdict.reason.as_str()),
        };
        Self::Execution {
            status: execution.status,
            delivery_status: execution.delivery_status,
            reason: reason.map(str::to_owned),
        }
    }

    /// Whether its request was sent and the device fell silent before or after its first report.
    pub(super) fn is_no_response(&self) -> bool {
        let is_silence =
            |reason: &str| [Reason::NoResponse, Reason::HeartbeatLost].iter().any(|r| r.as_str() == reason);
        matches!(self, Self::Execution { status: Status::TimedOut, reason: Some(reason), .. } if is_silence(reason))
    }
}
