//! What one item adds to the counts of its command.

use crate::{DeliveryStatus, Execution, Reason, Status};

/// What one item adds to the counts of its command, as it is at one time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Contribution {
    /// An execution.
    Execution {
        /// Its status, as it is stored: not what reading would make of it by now.
        status: Status,
        /// How far its request has come.
        delivery_status: DeliveryStatus,
        /// Why it ended, as the API shows it: the device's own word, or a [`Reason`].
        reason: Option<String>,
    },
    /// That a batch has a thing which is in another batch too, and goes out with that.
    Duplicate,
}

impl Contribution {
    /// What this execution adds.
    pub fn of(execution: &Execution) -> Self {
        // The device's own word stands instead of the cloud's guess, also where it gives no reason.
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

    /// Whether it went out, and nothing was heard of it, or nothing any more.
    pub(super) fn is_silent(&self) -> bool {
        let silent = |reason: &str| [Reason::NoResponse, Reason::HeartbeatLost].iter().any(|r| r.as_str() == reason);
        matches!(self, Self::Execution { status: Status::TimedOut, reason: Some(reason), .. } if silent(reason))
    }
}
