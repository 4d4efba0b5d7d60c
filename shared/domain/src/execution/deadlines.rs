//! The deadlines of an execution: the next one, what it brings, and the verdict when it has passed.

use crate::command::failure::AttemptFailure;
use crate::execution::row::{Execution, Verdict};
use crate::status::{DeliveryStatus, Reason, Status};
use crate::timestamp::Timestamp;

/// The next deadline of an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadline {
    pub at: Timestamp,
    pub kind: DeadlineKind,
}

/// What a deadline brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeadlineKind {
    /// The request has to be sent.
    Send,
    /// The attempt has failed, and another follows.
    Retry(AttemptFailure),
    /// The execution ends.
    GiveUp(Reason),
}

impl Execution {
    /// The row as it reads at `now`: where a deadline has passed it has timed out, whether or not the verdict is
    /// written.
    pub fn observe(&self, now: Timestamp) -> Self {
        let mut observed = self.clone();
        if let Some(verdict) = self.overdue_verdict(now) {
            match self.own_failure() {
                Some(failure) => {
                    observed.status = failure.status;
                    observed.outcome = Some(failure.outcome.clone());
                }
                None => {
                    observed.status = verdict.reason.status();
                    observed.verdict = Some(verdict);
                }
            }
        }
        observed
    }

    /// How many seconds after its creation the execution must have started at the latest: the ttl, which a shadow cuts
    /// short.
    pub(crate) fn start_seconds(&self) -> u32 {
        self.created_at.seconds_until(self.start_by)
    }

    /// Whether the device reported the end after the execution had a verdict, or should have had one.
    pub fn is_late(&self) -> bool {
        let Some(outcome) = &self.outcome else { return false };
        let in_time = match self.started_at {
            Some(started) => started < self.start_by && outcome.at < self.finish_by,
            None => outcome.at < self.start_by,
        };
        self.verdict.is_some() || !in_time
    }

    /// The next deadline, seen from `now`: a retry only where the ttl leaves time for it.
    pub(crate) fn next_deadline(&self, now: Timestamp) -> Deadline {
        let end = self.end();
        let give_up = Deadline { at: end.at, kind: DeadlineKind::GiveUp(end.reason) };
        if self.status == Status::Created
            && !self.waits_in_lane()
            && let Some(at) = self.next_send_at.filter(|at| *at < self.start_by)
        {
            return Deadline { at, kind: DeadlineKind::Send };
        }
        match self.attempt_failure() {
            Some((failure, at)) if now < self.start_by && self.may_retry(failure, at) => {
                Deadline { at, kind: DeadlineKind::Retry(failure) }
            }
            _ => give_up,
        }
    }

    /// When the reconciler checks whether the turn of a waiting execution has come, in case its creator crashed.
    pub(crate) fn lane_check_at(&self) -> Option<Timestamp> {
        self.next_send_at.filter(|at| self.waits_in_lane() && *at < self.start_by)
    }

    /// When the row has to be looked at next.
    pub fn next_due_at(&self, now: Timestamp) -> Timestamp {
        let next = self.next_deadline(now).at;
        self.lane_check_at().map_or(next, |check| check.min(next))
    }

    /// The verdict of a deadline that has passed; its time is that of the deadline.
    pub(crate) fn overdue_verdict(&self, now: Timestamp) -> Option<Verdict> {
        if self.is_terminal() {
            return None;
        }
        let again = matches!(self.next_deadline(now).kind, DeadlineKind::Retry(_));
        // An execution that will be retried has not ended, though its attempt has failed.
        Some(self.end()).filter(|end| end.at <= now && !(again && end.reason == Reason::HeartbeatLost))
    }

    /// How it ends if no report comes and no retry follows.
    fn end(&self) -> Verdict {
        match (self.status, self.heartbeat_deadline) {
            (Status::Created, _) => Verdict { reason: self.not_started_reason(), at: self.start_by },
            (_, Some(at)) if at < self.finish_by => Verdict { reason: Reason::HeartbeatLost, at },
            _ => Verdict { reason: Reason::ExecutionTimeout, at: self.finish_by },
        }
    }

    /// Why it has not started.
    fn not_started_reason(&self) -> Reason {
        match self.delivery_status {
            // An earlier attempt was sent.
            _ if self.attempt > 1 => Reason::NoResponse,
            _ if self.may_be_delivered() => Reason::NoResponse,
            // At the head of the lane, after a refused sending, it has a time to be sent again.
            _ if self.waits_in_lane() && (self.progress.seq() == 0 || self.next_send_at.is_none()) => Reason::LaneBusy,
            _ => Reason::Expired,
        }
    }

    /// Why and when the current attempt fails, if no further report comes.
    fn attempt_failure(&self) -> Option<(AttemptFailure, Timestamp)> {
        let was_sent = matches!(self.delivery_status, DeliveryStatus::Sent | DeliveryStatus::Delivered);
        match self.status {
            Status::Created if was_sent => {
                Some((AttemptFailure::NoResponse, self.sent_at?.plus_seconds(self.retry.as_ref()?.wait_seconds())))
            }
            Status::InProgress => Some((AttemptFailure::HeartbeatLost, self.heartbeat_deadline?)),
            _ => None,
        }
    }

    /// Whether the retry policy allows another attempt after this failure at this time, and the ttl leaves time for
    /// it.
    pub(crate) fn may_retry(&self, failure: AttemptFailure, at: Timestamp) -> bool {
        let named = self.retry.filter(|retry| retry.names(failure) && self.attempt < retry.max_attempts());
        named.is_some_and(|retry| at.plus_seconds(retry.delay_seconds(&self.key.id, self.attempt)) < self.start_by)
    }
}

#[cfg(test)]
mod tests;
