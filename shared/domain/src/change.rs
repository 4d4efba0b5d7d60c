//! What something that happened writes into an execution. A change is written if the register grows by it, else it is
//! old news, and nothing to do.

use crate::{
    Attempt, DeliveryStatus, Execution, Key, Outcome, Progress, Rank, Report, Reported, Status, Timestamp,
    Verdict,
};

/// One conditional write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Into which row.
    pub key: Key,
    /// Only if the row's number is less than this, which it becomes.
    pub progress: Progress,
    /// Only if the row has come to this attempt: a device can't answer what it was never asked.
    pub attempt: Attempt,
    /// What the row's status becomes.
    pub status: Status,
    /// What its delivery status becomes, where that is known.
    pub delivery_status: Option<DeliveryStatus>,
    /// What else is written.
    pub fact: Fact,
    /// Only if the row is still as it was seen.
    pub seen: Option<Seen>,
}

/// What has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// Delivery was tried, and the device is not known to have the request.
    Tried,
    /// The device acknowledged the message.
    Delivered(Timestamp),
    /// The device has begun, or still runs.
    Heard(Timestamp),
    /// The device has ended it.
    Finished(Outcome),
    /// The cloud has given up.
    GaveUp(Verdict),
}

/// What a reconciler has seen of the row it judges: a device's beat that lands in between changes it, and wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When it was due.
    pub due_at: Option<i64>,
    /// When the device was last heard of.
    pub heard_at: Option<Timestamp>,
}

impl Execution {
    /// The device acknowledged the message.
    pub fn delivered(&self, at: Timestamp) -> Change {
        let progress = Progress::new(self.attempt, Rank::Delivered, 0);
        self.change(progress, DeliveryStatus::Delivered, Fact::Delivered(at))
    }

    /// The device is not connected.
    pub fn queued(&self) -> Change {
        self.tried(DeliveryStatus::Queued)
    }

    /// The message went out, and nobody can say whether it arrived.
    pub fn unacknowledged(&self) -> Change {
        self.tried(DeliveryStatus::Sent)
    }

    /// The message did not go out.
    pub fn unsent(&self) -> Change {
        self.tried(DeliveryStatus::Pending)
    }

    fn tried(&self, delivery: DeliveryStatus) -> Change {
        let tries = if self.progress.within(Rank::Created) { self.progress.seq() } else { 0 };
        self.change(Progress::new(self.attempt, Rank::Created, tries + 1), delivery, Fact::Tried)
    }

    fn change(&self, progress: Progress, delivery: DeliveryStatus, fact: Fact) -> Change {
        Change {
            key: self.key.clone(),
            progress,
            attempt: self.attempt,
            status: Status::Created,
            delivery_status: Some(delivery),
            fact,
            seen: None,
        }
    }

    pub(crate) fn give_up(&self, verdict: Verdict) -> Change {
        Change {
            key: self.key.clone(),
            progress: Progress::new(self.attempt, Rank::TimedOut, 0),
            attempt: self.attempt,
            status: verdict.reason.status(),
            delivery_status: None,
            fact: Fact::GaveUp(verdict),
            seen: Some(Seen { due_at: self.due_at, heard_at: self.heard_at }),
        }
    }

    /// The row after this change; none if it is old news. What the table's condition decides, for one who holds the row.
    pub fn apply(&self, change: &Change) -> Option<Self> {
        let seen = change.seen.is_none_or(|seen| seen == Seen { due_at: self.due_at, heard_at: self.heard_at });
        if self.key != change.key || self.progress >= change.progress || self.attempt < change.attempt || !seen {
            return None;
        }
        let mut next = self.clone();
        next.progress = change.progress;
        next.status = change.status;
        next.delivery_status = change.delivery_status.unwrap_or(self.delivery_status);
        match &change.fact {
            Fact::Tried => {}
            Fact::Delivered(at) => next.delivered_at = Some(*at),
            Fact::Heard(at) => {
                next.delivered_at = self.delivered_at.or(Some(*at));
                next.started_at = self.started_at.or(Some(*at));
                next.heard_at = Some(*at);
            }
            Fact::Finished(outcome) => {
                next.delivered_at = self.delivered_at.or(Some(outcome.at));
                next.outcome = Some(outcome.clone());
                next.due_at = None;
            }
            Fact::GaveUp(verdict) => {
                next.verdict = Some(*verdict);
                next.due_at = None;
            }
        }
        Some(next)
    }
}

impl Report {
    /// What this report writes into the execution it is about, when it has arrived at this time. Whoever answers has the
    /// request, so every report proves delivery too.
    pub fn change(&self, key: Key, at: Timestamp) -> Change {
        let (rank, status, seq) = match self.reported {
            Reported::InProgress { seq: 0 } => (Rank::Accepted, Status::InProgress, 0),
            Reported::InProgress { seq } => (Rank::Running, Status::InProgress, seq),
            Reported::Succeeded => (Rank::Succeeded, Status::Succeeded, 0),
            Reported::Failed => (Rank::Failed, Status::Failed, 0),
            Reported::Rejected => (Rank::Failed, Status::Rejected, 0),
            Reported::TimedOut => (Rank::Failed, Status::TimedOut, 0),
        };
        let fact = match self.reported {
            Reported::InProgress { .. } => Fact::Heard(at),
            _ => Fact::Finished(Outcome {
                code: self.code.clone(),
                description: self.description.clone(),
                result: self.result.clone(),
                at,
            }),
        };
        Change {
            key,
            progress: Progress::new(self.attempt, rank, seq),
            attempt: self.attempt,
            status,
            delivery_status: Some(DeliveryStatus::Delivered),
            fact,
            seen: None,
        }
    }
}

impl Change {
    /// Whether it is a failure of the execution, which its command is found by.
    pub fn is_failure(&self) -> bool {
        matches!(self.status, Status::Failed | Status::Rejected | Status::TimedOut)
    }

    /// Whether nothing is owed after it.
    pub fn is_terminal(&self) -> bool {
        self.progress.is_terminal()
    }
}
