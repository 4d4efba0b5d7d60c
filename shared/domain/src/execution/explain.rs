//! The explanation of an execution: one sentence that says why it is where it is, and one that says what happens
//! next.

use crate::actor::Actor;
use crate::command::lane::LaneName;
use crate::command::retry::Retry;
use crate::execution::deadlines::{Deadline, DeadlineKind};
use crate::execution::progress::Attempt;
use crate::execution::row::Execution;
use crate::status::{DeliveryStatus, Reason, Status};
use crate::timestamp::Timestamp;

mod reasons;
mod text;

/// Why an execution is where it is, and what happens next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// A sentence that says why.
    pub why: String,
    /// What happens next if no report comes; none if nothing happens.
    pub next: Option<Upcoming>,
    /// A sentence about what could still happen; empty where `next` says it.
    pub still: &'static str,
}

/// What happens next, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upcoming {
    /// When it is due. It has passed where no function has done it yet.
    pub at: Timestamp,
    /// What happens.
    pub what: WhatNext,
    /// Whether `at` has passed.
    due: bool,
}

/// What happens next to an execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhatNext {
    /// Its request is sent.
    Send {
        /// The attempt that is sent.
        attempt: Attempt,
        /// The most attempts.
        max_attempts: Attempt,
        /// Whether it may have been sent already, so that it is sent only if that is not recorded until then.
        maybe_sent: bool,
    },
    /// The current attempt fails, and is retried.
    Retry {
        /// The condition of the failure, such as `it has not begun`.
        unless: &'static str,
        /// The next attempt.
        attempt: Attempt,
        /// The most attempts.
        max_attempts: Attempt,
    },
    /// It ends provisionally.
    GiveUp {
        /// The condition of the end, such as `it has not begun`.
        unless: &'static str,
        /// Why it ends.
        reason: Reason,
    },
    /// It ends as its device ended the attempt before.
    End {
        /// The condition of the end, such as `that does not happen`.
        unless: &'static str,
        /// How it ends.
        status: Status,
    },
    /// It is cleaned up after its end.
    CleanUp {
        /// Its request is removed from its shadow.
        clean_shadow: bool,
        /// It leaves this lane.
        leave_lane: Option<LaneName>,
    },
}

impl Execution {
    /// Why it is where it is at `now`, and what happens next.
    pub fn explain(&self, now: Timestamp) -> Explanation {
        let row = self.with_due_changes(now);
        if row.is_terminal() { row.explain_end(now) } else { row.explain_open(now) }
    }

    /// The row as it reads at `now`, and after a retry that is due, whether or not these are written.
    fn with_due_changes(&self, now: Timestamp) -> Self {
        let observed = self.observe(now);
        match observed.next_deadline(now) {
            Deadline { at, kind: DeadlineKind::Retry(failure) } if !observed.is_terminal() && at <= now => {
                let retry = observed.schedule_retry(failure, at, None, Actor::device());
                observed.apply(&retry).unwrap_or(observed)
            }
            _ => observed,
        }
    }

    fn explain_open(&self, now: Timestamp) -> Explanation {
        let (attempt, max_attempts) = (self.attempt, self.retry.as_ref().map_or(1, Retry::max_attempts));
        let Deadline { at, kind } = match self.lane_check_at().filter(|_| self.sending_has_failed()) {
            Some(at) => Deadline { at, kind: DeadlineKind::Send },
            None => self.next_deadline(now),
        };
        let (why, unless) = self.why_open(kind, now);
        let what = match kind {
            DeadlineKind::Send => WhatNext::Send { attempt, max_attempts, maybe_sent: self.is_being_sent(now) },
            DeadlineKind::Retry(_) => WhatNext::Retry { unless, attempt: attempt.saturating_add(1), max_attempts },
            DeadlineKind::GiveUp(reason) => match self.own_failure() {
                Some(failure) => WhatNext::End { unless, status: failure.status },
                None => WhatNext::GiveUp { unless, reason },
            },
        };
        Explanation { why, next: Some(Upcoming { at, what, due: at <= now }), still: "" }
    }

    /// Why it has not ended, and the condition under which the next deadline has its effect.
    fn why_open(&self, next: DeadlineKind, now: Timestamp) -> (String, &'static str) {
        match (self.status, self.delivery_status) {
            (Status::InProgress, _) if matches!(next, DeadlineKind::GiveUp(Reason::ExecutionTimeout)) => {
                ("Its device runs it.".to_owned(), "it has not finished")
            }
            (Status::InProgress, _) => ("Its device runs it.".to_owned(), "its device is not heard of"),
            _ if self.is_being_sent(now) && !self.sending_has_failed() => ("It is being sent.".to_owned(), ""),
            _ if next == DeadlineKind::Send => (self.why_unsent(), ""),
            _ if self.waits_in_lane() && !self.is_in_lane_without_waiting() => {
                (format!("It waits for its turn in {}.", self.own_lane_text()), "that has not come")
            }
            (_, DeliveryStatus::Queued) => {
                (format!("It waits for {} to connect.", self.key.thing), "that does not happen")
            }
            (_, DeliveryStatus::Pending) if self.creator_may_be_sending(now) => {
                ("It is being sent.".to_owned(), "that does not succeed")
            }
            (_, DeliveryStatus::Pending) if self.is_as_created() => {
                let sent =
                    if self.may_be_delivered() { "Nobody knows whether it went out" } else { "It has not gone out" };
                let why = "its creation was cut short, and the same request with its Idempotency-Key sends it.";
                (format!("{sent}: {why}"), "that does not happen")
            }
            (_, DeliveryStatus::Pending) => (self.why_unsent(), "it has not begun"),
            (_, DeliveryStatus::Sent) => (self.why_unanswered(), "it has not begun"),
            (_, DeliveryStatus::Delivered) => ("Its device has it, and has not begun.".to_owned(), "it has not begun"),
        }
    }

    fn explain_end(&self, now: Timestamp) -> Explanation {
        let clean_shadow = self.shadow_cleanup_pending;
        let leave_lane = self.lane.as_ref().filter(|_| self.in_lane).map(|lane| lane.name.clone());
        let next = (clean_shadow || leave_lane.is_some()).then(|| {
            let at = self.due_at.map_or(now, Timestamp::from_seconds);
            Upcoming { at, what: WhatNext::CleanUp { clean_shadow, leave_lane }, due: at <= now }
        });
        let still = match &self.outcome {
            None if self.stopped_at.is_some() => "Its device has stopped it.",
            None if self.device_may_have_a_request() => "A late answer of the device would still count.",
            _ if next.is_none() => "Nothing more will happen.",
            _ => "",
        };
        Explanation { why: self.why_ended(), next, still }
    }
}

#[cfg(test)]
mod tests;
