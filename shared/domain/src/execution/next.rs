//! What happens to an execution if nothing is heard of it: when, and what.

use crate::{DeliveryStatus, Execution, Failure, Reason, Status, Timestamp, Verdict};

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Next {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: NextStep,
}

/// What an instant calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NextStep {
    /// Its request goes out.
    Send,
    /// Its attempt has come to nothing, and there is another.
    Again(Failure),
    /// It is given up.
    GiveUp(Reason),
}

/// Three silent intervals, not one: a single lost or late beat is no reason to give a device up.
pub(crate) fn silence(heartbeat: u32) -> u32 {
    heartbeat.saturating_mul(3)
}

impl Execution {
    /// What comes next, seen from now: another attempt only while there is time for it.
    pub(crate) fn next(&self, now: Timestamp) -> Next {
        let end = self.end();
        let give_up = Next { at: end.at, what: NextStep::GiveUp(end.reason) };
        if self.status == Status::Created
            && !self.waits_in_lane()
            && let Some(at) = self.send_at.filter(|at| *at < self.start_by)
        {
            return Next { at, what: NextStep::Send };
        }
        match self.came_to_nothing() {
            Some((failure, at)) if now < self.start_by && self.may_ask_again(failure, at) => {
                Next { at, what: NextStep::Again(failure) }
            }
            _ => give_up,
        }
    }

    /// When someone sees whether its turn in its lane has come, if nobody has by then.
    pub(crate) fn turn_at(&self) -> Option<Timestamp> {
        self.send_at.filter(|at| self.waits_in_lane() && *at < self.start_by)
    }

    /// When it has to be looked at next.
    pub fn looked_at_next(&self, now: Timestamp) -> Timestamp {
        let next = self.next(now).at;
        self.turn_at().map_or(next, |turn| turn.min(next))
    }

    /// The verdict that this time calls for, from the instant at which its deadline passed.
    pub(crate) fn overdue(&self, now: Timestamp) -> Option<Verdict> {
        if self.is_terminal() {
            return None;
        }
        let again = matches!(self.next(now).what, NextStep::Again(_));
        // What will be asked again has not ended, though its attempt has come to nothing.
        Some(self.end()).filter(|end| end.at <= now && !(again && end.reason == Reason::HeartbeatLost))
    }

    /// How it ends if nothing is heard and nobody is asked again.
    fn end(&self) -> Verdict {
        match (self.status, self.silent_at) {
            (Status::Created, _) => Verdict { reason: self.unbegun(), at: self.start_by },
            (_, Some(at)) if at < self.finish_by => Verdict { reason: Reason::HeartbeatLost, at },
            _ => Verdict { reason: Reason::ExecutionTimeout, at: self.finish_by },
        }
    }

    /// Why it has not begun.
    fn unbegun(&self) -> Reason {
        match self.delivery_status {
            // An earlier attempt went out.
            _ if self.attempt > 1 => Reason::NoResponse,
            _ if self.may_be_out() => Reason::NoResponse,
            // One at the head whose sending was refused has a time to be sent again.
            _ if self.waits_in_lane() && (self.progress.seq() == 0 || self.send_at.is_none()) => Reason::LaneBusy,
            _ => Reason::Expired,
        }
    }

    /// Why and when its attempt comes to nothing, by the cloud's own reckoning.
    fn came_to_nothing(&self) -> Option<(Failure, Timestamp)> {
        let gone = matches!(self.delivery_status, DeliveryStatus::Sent | DeliveryStatus::Delivered);
        match self.status {
            Status::Created if gone => {
                Some((Failure::NoResponse, self.sent_at?.plus_seconds(self.retry.as_ref()?.wait())))
            }
            Status::InProgress => Some((Failure::HeartbeatLost, self.silent_at?)),
            _ => None,
        }
    }

    /// Whether its policy asks again when an attempt has come to nothing for this reason at this time.
    pub(crate) fn may_ask_again(&self, failure: Failure, at: Timestamp) -> bool {
        let named = self.retry.filter(|retry| retry.names(failure) && self.attempt < retry.attempts());
        named.is_some_and(|retry| at.plus_seconds(retry.delay(&self.key.id, self.attempt)) < self.start_by)
    }
}
