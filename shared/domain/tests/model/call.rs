//! The outside calls of a handler, and the results of a sending.

use std::sync::Arc;

use domain::{Change, LaneQueue, LaneSettlement};

/// Why a handler enters a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LaneEntry {
    /// It has created the row.
    Create,
    /// The reconciler checks whether the turn of the row has come; and once more, after it has removed a stale head.
    Check,
    SecondCheck,
    /// A repeated request, or a reroute.
    Other,
}

/// The next outside call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// Read the row of a report; or write a numbered heartbeat without reading.
    ApplyReport,
    /// Write a start or a heartbeat to the row.
    WriteActive,
    /// Write the end.
    Finish {
        shadow_cleaned: bool,
    },
    /// Move the due entry: to the heartbeat deadline; or to now, since the work has failed.
    MoveDueEarlier,
    Postpone,
    /// Find the execution that a reported state satisfies.
    MatchDesiredState,
    /// Write the cancel.
    Cancel {
        force: bool,
    },
    /// Send the cancel notice.
    SendCancelNotice,
    /// Write the reroute.
    Reroute,
    /// Write the claim.
    Claim,
    /// Send the request.
    Send,
    /// Write the result of the sending.
    WriteResult(SendResult),
    /// Write the change of the next action.
    WriteNextAction,
    /// Read the shadow for a clean-up; again after a version conflict.
    ReadShadow {
        again: bool,
    },
    /// Write the clean-up of the shadow as it was read.
    CleanShadow(Option<Arc<[u8]>>),
    /// Join the queue of the lane: read it, and write it as it was read.
    ReadToJoin,
    Join(LaneQueue),
    /// Read the head of the queue that is in the way; remove a stale head; write that the row waits.
    CheckHead,
    RemoveHead(LaneQueue),
    WaitInLane,
    /// Leave the queue: read it, and write it as it was read. Or settle the lane: end what has to end, and remove all
    /// that has ended from the queue as it was read.
    ReadToLeave,
    Leave(LaneQueue),
    Settle(LaneQueue, Box<(LaneSettlement, Vec<Change>)>),
    /// Read the new head of the queue.
    NextHead,
    /// Write that the clean-up is done.
    WriteCleanedUp,
}

/// The result of a sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SendResult {
    /// The device has acknowledged it, or the shadow is written.
    Accepted,
    /// The device is not connected.
    NotConnected,
    /// The service refuses it.
    Refused,
    /// No answer: the request was sent or not.
    Unknown { sent: bool },
}
