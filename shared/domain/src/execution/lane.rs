//! Lanes: the queue of a thing's executions, and who is sent, waits, or is canceled on another's behalf.

use crate::actor::Actor;
use crate::command::lane::OnFailure;
use crate::execution::cancel::CancelError;
use crate::execution::change::Change;
use crate::execution::next_action::NextAction;
use crate::execution::row::Execution;
use crate::ids::ExecutionId;
use crate::messages::shadow::route::ShadowRoute;
use crate::status::{Reason, Status};
use crate::timestamp::Timestamp;

pub(crate) mod settlement;

/// The queue of a lane: the head is in progress, or is sent next; the others wait in the order in which they joined.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct LaneQueue {
    /// The executions, the head first.
    pub ids: Vec<ExecutionId>,
    /// The function that settles the lane; none while it is short, or nothing has ended in it.
    pub settler: Option<LaneClaim>,
}

/// A time-limited exclusive right to settle a lane.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LaneClaim {
    /// A text that no other claim has.
    pub token: String,
    /// The time by which its function decides: what is overdue then, it ends.
    pub as_of: Timestamp,
    /// When another function may settle the lane.
    pub until: Timestamp,
}

impl LaneQueue {
    /// The most executions in a lane: a caller that is faster than the thing gets an error.
    pub const MAX_LENGTH: usize = 100;

    /// The first execution.
    pub fn head(&self) -> Option<&ExecutionId> {
        self.ids.first()
    }

    /// The queue after an execution has joined it; none if it is in it already, or the queue is full.
    pub fn joined(&self, id: &ExecutionId) -> Option<Self> {
        let fits = !self.ids.contains(id) && self.ids.len() < Self::MAX_LENGTH;
        fits.then(|| Self { ids: self.ids.iter().chain([id]).cloned().collect(), ..self.clone() })
    }

    /// The queue after an execution has left it; none if it is not in it.
    pub fn left(&self, id: &ExecutionId) -> Option<Self> {
        let ids: Vec<_> = self.ids.iter().filter(|other| *other != id).cloned().collect();
        (ids.len() < self.ids.len()).then(|| Self { ids, ..self.clone() })
    }

    /// The executions before one; all if it is not in the queue.
    pub fn before(&self, id: &ExecutionId) -> &[ExecutionId] {
        let at = self.ids.iter().position(|other| other == id).unwrap_or(self.ids.len());
        self.ids.get(..at).unwrap_or_default()
    }
}

/// What to do about the head of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadAction {
    /// Take it out of the queue: its row is gone, or has left the lane. A request that was cut short leaves such a
    /// head.
    Remove,
    /// Clean up after it: it has ended, and has yet to leave the lane.
    CleanUp,
    /// Send it: its turn has come.
    Send,
    /// Nothing: it is in progress, or is sent again at its own time.
    Wait,
}

impl HeadAction {
    /// What to do about a head, whose row is none if it is gone.
    pub fn of(head: Option<&Execution>, now: Timestamp) -> Self {
        match head {
            None => Self::Remove,
            Some(head) if head.has_left_lane() => Self::Remove,
            Some(head) if head.is_terminal() => Self::CleanUp,
            Some(head) if head.waits_in_lane() && !head.is_send_postponed(now) => Self::Send,
            Some(_) => Self::Wait,
        }
    }
}

/// How an execution is ended on behalf of another one of its lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LaneCancel {
    /// It stays: its device may have the request, or runs it.
    Refused,
    /// It has ended already.
    Ended,
    /// This change ends it: a cancel, or the verdict of a deadline that has passed.
    Write(Box<Change>),
}

impl LaneCancel {
    /// The cancel with a text that says why, if it ends the execution for this reason.
    #[must_use]
    pub fn with_why(self, reason: Reason, why: &str) -> Self {
        match self {
            Self::Write(change) if change.gives(reason) => Self::Write(Box::new(change.with_why(Some(why)))),
            other => other,
        }
    }
}

impl Execution {
    /// Whether it sets a desired state, which waits for no other desired state, and supersedes those that set the same
    /// attributes.
    pub fn sets_desired_state(&self) -> bool {
        matches!(self.channel.shadow(), Some(ShadowRoute::State(_)))
    }

    /// Whether it has to wait in its lane for this one, which is before it.
    pub fn waits_for(&self, before: &Self) -> bool {
        let together = self.sets_desired_state() && before.sets_desired_state();
        !before.has_left_lane() && !together
    }

    /// Whether the executions behind it are canceled because it has ended.
    pub fn stops_lane(&self) -> bool {
        let stops_on_failure = self.lane.as_ref().is_some_and(|lane| lane.on_failure == OnFailure::Stop);
        // The execution that superseded it is behind it; and the one that stopped the lane cancels all behind itself.
        let on_behalf = [Reason::Superseded, Reason::LaneStopped];
        let canceled_on_behalf = self.verdict.is_some_and(|verdict| on_behalf.contains(&verdict.reason));
        stops_on_failure && self.is_terminal() && self.status != Status::Succeeded && !canceled_on_behalf
    }

    /// Whether it has ended, and its lane's queue must not contain it any more.
    pub fn has_left_lane(&self) -> bool {
        self.is_terminal() && !self.in_lane
    }

    /// Ends it because a newer execution of its lane supersedes it. It stays if it may have been sent, or has stopped
    /// the lane: then the newer one is canceled when it leaves. Among desired states it ends in any case, since the
    /// newer state replaces it in the shadow; the caller passes only executions that set the same attributes.
    pub fn cancel_superseded(&self, now: Timestamp, actor: Actor) -> LaneCancel {
        let replaceable = self.was_never_sent() || (self.is_terminal() && !self.stops_lane());
        if !replaceable && !self.sets_desired_state() {
            return LaneCancel::Refused;
        }
        self.cancel_in_lane(Reason::Superseded, now, actor)
    }

    /// Ends it because an execution before it has stopped the lane.
    pub fn cancel_stopped(&self, now: Timestamp, actor: Actor) -> LaneCancel {
        self.cancel_in_lane(Reason::LaneStopped, now, actor)
    }

    fn cancel_in_lane(&self, reason: Reason, now: Timestamp, actor: Actor) -> LaneCancel {
        match self.cancel(reason, now, false, actor.clone()) {
            Ok(change) => LaneCancel::Write(Box::new(change)),
            Err(CancelError::Running) => LaneCancel::Refused,
            Err(CancelError::Already | CancelError::Ended(_)) if self.is_terminal() => LaneCancel::Ended,
            // A deadline has passed. Until its verdict is written, a function that started earlier would still send
            // the request.
            Err(CancelError::Already | CancelError::Ended(_)) => match self.next_action(now, &actor) {
                NextAction::Write(change) => LaneCancel::Write(change),
                _ => LaneCancel::Refused,
            },
        }
    }
}

#[cfg(test)]
mod tests;
