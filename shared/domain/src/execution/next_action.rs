//! The next action: what an execution's row needs done at a given time.
//!
//! The row itself determines it, and has a due entry while there is one. The function that has read a row does what
//! is needed; the reconciler does what a crashed function left undone.

use crate::actor::Actor;
use crate::execution::change::Change;
use crate::execution::deadlines::DeadlineKind;
use crate::execution::row::Execution;
use crate::execution::send::MAX_SEND_SECONDS;
use crate::timestamp::Timestamp;

/// The longest time after the end of a sending in which AWS may still apply its write to a shadow, in seconds: a call
/// that its caller has given up may be on its way.
const LATE_WRITE_SECONDS: u32 = 10;

/// What a row needs done.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum NextAction {
    /// Nothing now.
    Nothing,
    /// Write this change: a verdict, a retry, or a later due entry.
    Write(Box<Change>),
    /// Claim its request, and then send it.
    Send,
    /// Enter its lane, which may contain it already, since its creator may have crashed. At the head it is sent;
    /// otherwise it waits ([`Execution::wait_in_lane`]).
    TryLane,
    /// Clean up after its end, in the order of the fields.
    CleanUp {
        /// Remove its request from its shadow.
        clean_shadow: bool,
        /// Leave its lane, and send the next execution there.
        leave_lane: bool,
        /// Write this change.
        then: Box<Change>,
    },
}

impl Execution {
    /// When its shadow has to be cleaned up once more, in seconds since 1970: until then, a request may still come into
    /// the shadow after the clean-up. A device that has answered the only sending has read the request there, so nothing
    /// is put there any more.
    pub(crate) fn next_cleanup_at(&self, now: Timestamp) -> Option<i64> {
        let sent_before = self.maybe_delivered || self.attempt > 1;
        if !self.shadow_cleanup_pending || (self.delivered_at.is_some() && !sent_before) {
            return None;
        }
        // Where the time of the last sending is not kept, it was before the end.
        let ended_at = self.outcome.as_ref().map(|outcome| outcome.at).or(self.verdict.map(|verdict| verdict.at));
        let last_sent = self.sent_at.or(ended_at.filter(|_| sent_before))?;
        // After the sending, which may be in progress still; and after its write, which may come later than that.
        let ends = [MAX_SEND_SECONDS, MAX_SEND_SECONDS + LATE_WRITE_SECONDS].map(|after| last_sent.plus_seconds(after));
        ends.into_iter().find(|end| now < *end).map(Timestamp::as_seconds_rounded_up)
    }

    /// When an open row that needs nothing now has to be looked at next, in seconds since 1970. None if it needs
    /// something now, or has ended.
    pub fn next_look_at(&self, now: Timestamp) -> Option<i64> {
        let at = self.next_due_at(now);
        (!self.is_terminal() && at > now).then(|| at.as_seconds_rounded_up())
    }

    /// What the row needs done at `now`. `actor` is the function that does it: history entries name it.
    pub fn next_action(&self, now: Timestamp, actor: &Actor) -> NextAction {
        if self.is_terminal() {
            return match (self.shadow_cleanup_pending, self.in_lane) {
                (false, false) if self.due_at.is_none() => NextAction::Nothing,
                (false, false) => NextAction::Write(Box::new(self.cleaned_up())),
                (clean_shadow, leave_lane) => match self.next_cleanup_at(now) {
                    // The first clean-up is done.
                    Some(again) if self.due_at == Some(again) => NextAction::Nothing,
                    again => {
                        let then = again.map_or_else(|| self.cleaned_up(), |again| self.due_at_seconds(again));
                        NextAction::CleanUp { clean_shadow, leave_lane, then: Box::new(then) }
                    }
                },
            };
        }
        if let Some(verdict) = self.overdue_verdict(now) {
            return NextAction::Write(Box::new(self.end_overdue(verdict, now, actor.clone())));
        }
        if self.lane_check_at().is_some_and(|at| at <= now) {
            return NextAction::TryLane;
        }
        let next = self.next_deadline(now);
        match next.kind {
            DeadlineKind::Send if next.at <= now => NextAction::Send,
            DeadlineKind::Retry(failure) if next.at <= now => {
                NextAction::Write(Box::new(self.schedule_retry(failure, next.at, None, actor.clone())))
            }
            _ => match (self.next_due_at(now).as_seconds_rounded_up(), self.due_at) {
                // The entry was due too early: it moves to the next time at which the row could need something.
                (wanted, Some(due)) if due <= now.as_seconds() && wanted > due => {
                    NextAction::Write(Box::new(self.due_at_seconds(wanted)))
                }
                _ => NextAction::Nothing,
            },
        }
    }
}

#[cfg(test)]
mod tests;
