//! A change: one conditional write of an execution's row, with its condition and its effect.

use crate::command::lane::Lane;
use crate::execution::channel::Channel;
use crate::execution::history::HistoryEntry;
use crate::execution::interim_report::InterimReport;
use crate::execution::key::Key;
use crate::execution::progress::{Attempt, Progress};
use crate::execution::row::{AttemptEnd, Outcome, Verdict};
use crate::status::{DeliveryStatus, Reason, Status};
use crate::timestamp::Timestamp;

/// One conditional write. It is applied if its condition holds; otherwise it is a conflict, and nothing is written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Change {
    /// The row.
    pub key: Key,
    /// What must be true of the row.
    pub condition: Condition,
    /// The new progress.
    pub progress: Progress,
    /// The new status.
    pub status: Status,
    /// The new delivery status; none: unchanged.
    pub delivery_status: Option<DeliveryStatus>,
    /// What happened, with the other attributes that it changes.
    pub effect: Effect,
    /// The new due entry.
    pub due: DueEntry,
    /// The entry that is appended to the history.
    pub history_entry: Option<HistoryEntry>,
}

/// The condition of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// The progress of the row is less than that of the change, and the row has reached this attempt, since no device
    /// answers a request that was never sent. The writer need not have read the row.
    Monotonic {
        /// The attempt that the change belongs to.
        attempt: Attempt,
    },
    /// The row is as it was read: decisions of the cloud yield to every report that came since.
    Unchanged(Snapshot),
    /// The device runs this attempt, and no later report came: for a heartbeat that only shows that the device is
    /// active.
    Running {
        /// The attempt that the heartbeat belongs to.
        attempt: Attempt,
    },
}

/// What a decision has read of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Snapshot {
    /// The progress.
    pub progress: Progress,
    /// The due entry, in seconds since 1970.
    pub due_at: Option<i64>,
    /// When the last IN_PROGRESS report came.
    pub last_active_at: Option<Timestamp>,
}

/// What happened to an execution.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Nothing but what the fields of the change say.
    Nothing,
    /// A function claims the request before it sends it.
    Claimed(Box<Claim>),
    /// A repeated request doubts that the creator of the row is alive.
    Doubted {
        /// When the request goes out again, if no result of a sending is written until then.
        next_send_at: Timestamp,
    },
    /// The request was sent, without an acknowledgement.
    Sent,
    /// The device is not connected.
    Queued,
    /// The request will be sent on another channel.
    Rerouted(Box<Reroute>),
    /// The execution waits in its lane.
    WaitsInLane,
    /// The sending failed.
    SendFailed {
        /// When it is tried again.
        next_send_at: Timestamp,
        /// Whether the service refused it, so that the device can't have the request.
        refused: bool,
    },
    /// The device acknowledged the request.
    Delivered(Timestamp),
    /// The device reported IN_PROGRESS. Not applied after a deadline has passed, since readers have seen the verdict
    /// by then.
    DeviceActive {
        /// When.
        at: Timestamp,
        /// The earlier attempt that it reported it for; none: the current one.
        earlier: Option<Attempt>,
        /// What the report says beside its status.
        interim: Option<Box<InterimReport>>,
    },
    /// The device reported the end. Not applied if it has reported an end before: a final status never changes.
    Finished {
        /// The end.
        outcome: Box<Outcome>,
        /// Whether the shadow is known not to contain the request any more.
        shadow_cleaned: bool,
        /// The verdict of a deadline that had passed before the report came and whose verdict was not written yet:
        /// readers have seen it, so it is kept.
        missed: Option<Verdict>,
    },
    /// The time of the current attempt has passed before it went out: the execution ends as its device ended the attempt
    /// before. Not applied if the device has reported an end since: a final status never changes.
    EndedByLastFailure(Box<Outcome>),
    /// The device reported that it has stopped the canceled execution.
    StopConfirmed(Timestamp),
    /// The cloud ends it provisionally.
    CloudVerdict(Verdict),
    /// The cloud ends it provisionally, and nothing is left to do after that: its shadow is clean, and the function that
    /// settles its lane removes it from the queue.
    LastVerdict(Verdict),
    /// The attempt failed, and the next one is scheduled.
    RetryScheduled {
        /// The next attempt.
        attempt: Attempt,
        /// When its request has to be sent.
        next_send_at: Timestamp,
        /// How the device ended the attempt, if it did.
        failed: Option<Box<AttemptEnd>>,
    },
    /// The shadow is cleaned up and the lane is left.
    CleanedUp,
}

/// The new channel of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reroute {
    /// The channel.
    pub channel: Channel,
    /// The device must have started before this instant, on that channel.
    pub start_by: Timestamp,
    /// When the reconciler sends it, if the function that reroutes it crashes.
    pub next_send_at: Timestamp,
    /// The lane that it joins for that channel.
    pub lane: Option<Lane>,
}

/// A time-limited exclusive right to send a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Claim {
    /// When the request is claimed.
    pub at: Timestamp,
    /// When the request may be claimed again, if the result of the sending is not written until then.
    pub next_send_at: Timestamp,
    /// The channel on which the request is sent.
    pub channel: Channel,
    /// Whether an earlier sending of this attempt may have reached the device.
    pub maybe_delivered: bool,
    /// A text that no other claim has, so that a writer that got no answer recognizes its own claim.
    pub token: String,
}

/// What happens to the entry of a row in the due index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DueEntry {
    /// It stays as it is: moving it costs two write units.
    Keep,
    /// It is removed.
    Remove,
    /// It is set to this time, in seconds since 1970.
    At(i64),
}

impl Change {
    /// Whether the execution has ended after it.
    pub fn is_terminal(&self) -> bool {
        self.progress.is_terminal()
    }

    /// Whether it is the verdict with this reason.
    pub(crate) fn gives(&self, reason: Reason) -> bool {
        matches!(self.effect, Effect::CloudVerdict(verdict) if verdict.reason == reason)
    }

    /// The change with the text that says why, in its history entry.
    #[must_use]
    pub fn with_why(mut self, why: Option<&str>) -> Self {
        if let Some(entry) = &mut self.history_entry {
            entry.why = why.map(str::to_owned);
        }
        self
    }

    /// Whether it removes `sent_at`: a broadcast is stored as sent before its message is, and here it ends without
    /// one.
    pub fn clears_sent_at(&self) -> bool {
        matches!(self.effect, Effect::CloudVerdict(_)) && self.delivery_status == Some(DeliveryStatus::Pending)
    }

    /// Whether it is a transition of the state machine. Otherwise it only moves the due entry, or records a clean-up or
    /// that the device has stopped.
    pub fn is_transition(&self) -> bool {
        !matches!(self.effect, Effect::CleanedUp | Effect::StopConfirmed(_))
            && !matches!((&self.effect, self.condition), (Effect::Nothing, Condition::Unchanged(_)))
    }
}
