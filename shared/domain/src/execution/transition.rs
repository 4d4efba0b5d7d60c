//! Applies a change to a row: the state machine of an execution, as the condition of the table decides it.
#![doc = include_str!("transition/transitions.md")]

use crate::command::deadlines::silence_seconds;
use crate::execution::change::{Change, Condition, DueEntry, Effect, Snapshot};
use crate::execution::row::Execution;
use crate::status::Status;

impl Execution {
    /// What a decision has read of the row, for [`Condition::Unchanged`].
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { progress: self.progress, due_at: self.due_at, last_active_at: self.last_active_at }
    }

    /// Whether the condition of a change holds.
    fn allows(&self, change: &Change) -> bool {
        let grows = |attempt| self.progress < change.progress && self.attempt >= attempt;
        let condition = match change.condition {
            Condition::Monotonic { attempt } => grows(attempt),
            Condition::Unchanged(read) => read == self.snapshot(),
            Condition::Running { attempt } => {
                self.attempt == attempt && self.status == Status::InProgress && self.progress <= change.progress
            }
        };
        let open = match &change.effect {
            // A final status never changes.
            Effect::Finished { .. } | Effect::EndedByLastFailure(_) => self.outcome.is_none(),
            // Readers have seen a verdict as soon as its deadline passed: the same boundaries as in
            // `overdue_verdict`.
            Effect::DeviceActive { at, .. } => {
                let newer = || self.last_active_at.is_some_and(|last| last < *at);
                let later = !matches!(change.condition, Condition::Running { .. }) || newer();
                later
                    && self.finish_by > *at
                    && (self.started_at.is_some() || self.start_by > *at)
                    && self.heartbeat_deadline.is_none_or(|silent| silent > *at)
            }
            _ => true,
        };
        self.key == change.key && condition && open
    }

    /// The row after a change; none if the condition does not hold. Defined for every row and every change.
    pub fn apply(&self, change: &Change) -> Option<Self> {
        if !self.allows(change) {
            return None;
        }
        let mut next = self.clone();
        next.progress = change.progress;
        next.status = change.status;
        next.delivery_status = change.delivery_status.unwrap_or(self.delivery_status);
        next.history.extend(change.history_entry.clone());
        match change.due {
            DueEntry::Keep => {}
            DueEntry::Remove => next.due_at = None,
            DueEntry::At(at) => next.due_at = Some(at),
        }
        match &change.effect {
            Effect::Nothing => {}
            Effect::Claimed(claim) => {
                next.sent_at = Some(claim.at);
                next.next_send_at = Some(claim.next_send_at);
                next.maybe_delivered |= claim.maybe_delivered;
                next.shadow_cleanup_pending |= claim.channel.shadow().is_some();
                next.claim = Some(claim.token.clone());
            }
            Effect::Doubted { next_send_at } => next.next_send_at = Some(*next_send_at),
            Effect::Sent | Effect::Queued | Effect::WaitsInLane => next.next_send_at = None,
            Effect::Rerouted(route) => {
                next.sent_at = None;
                next.next_send_at = Some(route.next_send_at);
                next.channel = route.channel.clone();
                next.start_by = route.start_by;
                next.in_lane |= route.lane.is_some();
                next.lane = route.lane.clone();
            }
            Effect::SendFailed { next_send_at, refused } => {
                next.next_send_at = Some(*next_send_at);
                next.sent_at = self.sent_at.filter(|_| !refused);
            }
            Effect::Delivered(at) => {
                next.delivered_at = Some(*at);
                next.next_send_at = None;
            }
            Effect::DeviceActive { at, earlier, interim } => {
                next.runs_attempt = *earlier;
                next.interim = interim.as_deref().cloned().or_else(|| self.interim.clone());
                next.delivered_at = self.delivered_at.or(Some(*at));
                next.started_at = self.started_at.or(Some(*at));
                next.last_active_at = Some(*at);
                next.heartbeat_deadline =
                    self.heartbeat_seconds.map(|heartbeat| at.plus_seconds(silence_seconds(heartbeat)));
            }
            Effect::Finished { outcome, shadow_cleaned, missed } => {
                next.delivered_at = self.delivered_at.or(Some(outcome.at));
                next.verdict = missed.or(self.verdict);
                next.outcome = Some((**outcome).clone());
                next.last_failure = None;
                next.shadow_cleanup_pending &= !shadow_cleaned;
            }
            Effect::EndedByLastFailure(outcome) => {
                next.outcome = Some((**outcome).clone());
                next.last_failure = None;
            }
            Effect::StopConfirmed(at) => next.stopped_at = Some(*at),
            Effect::CloudVerdict(verdict) => {
                next.verdict = Some(*verdict);
                next.sent_at = self.sent_at.filter(|_| !change.clears_sent_at());
            }
            Effect::LastVerdict(verdict) => {
                next.verdict = Some(*verdict);
                next.in_lane = false;
                next.shadow_cleanup_pending = false;
            }
            Effect::RetryScheduled { attempt, next_send_at, failed } => {
                next.last_failure = failed.as_deref().cloned();
                next.attempt = *attempt;
                next.next_send_at = Some(*next_send_at);
                next.maybe_delivered = false;
                next.sent_at = None;
                next.delivered_at = None;
                next.started_at = None;
                next.last_active_at = None;
                next.runs_attempt = None;
                next.heartbeat_deadline = None;
            }
            Effect::CleanedUp => {
                next.in_lane = false;
                next.shadow_cleanup_pending = false;
            }
        }
        Some(next)
    }
}

#[cfg(test)]
pub(crate) mod table;
#[cfg(test)]
mod tests;
