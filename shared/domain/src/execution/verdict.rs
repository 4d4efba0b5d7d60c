//! The verdict: how the cloud ends an execution provisionally, after a deadline or a cancel.

use crate::actor::Actor;
use crate::command::failure::AttemptFailure;
use crate::execution::change::{Change, Condition, DueEntry, Effect};
use crate::execution::channel::Channel;
use crate::execution::history::HistoryEntry;
use crate::execution::progress::{Progress, Rank};
use crate::execution::row::{AttemptEnd, Execution, Verdict};
use crate::status::Status;
use crate::timestamp::Timestamp;

impl Execution {
    /// Ends it after a deadline has passed: as its device ended the attempt before, if the current one never went out;
    /// else with this verdict.
    pub(crate) fn end_overdue(&self, verdict: Verdict, now: Timestamp, actor: Actor) -> Change {
        let Some(AttemptEnd { status, outcome }) = self.own_failure() else { return self.give_up(verdict, now, actor) };
        Change {
            key: self.key.clone(),
            condition: Condition::Unchanged(self.snapshot()),
            progress: Progress::new(self.attempt, Rank::Failed, 0),
            status: *status,
            delivery_status: None,
            effect: Effect::EndedByLastFailure(Box::new(outcome.clone())),
            due: self.due_after_end(now, false),
            history_entry: Some(HistoryEntry::new(verdict.at, self.attempt, status.as_str().to_owned(), actor)),
        }
    }

    /// How the device ended the attempt before, where the current one has not gone out: then nothing else is known of
    /// the device.
    pub(crate) fn own_failure(&self) -> Option<&AttemptEnd> {
        let never_sent = self.status == Status::Created && !self.may_be_delivered();
        self.last_failure.as_ref().filter(|_| never_sent)
    }

    /// Whether it has ended as its device ended the attempt before. Until that is written, the row keeps the failure.
    pub(crate) fn is_ended_by_last_failure(&self) -> bool {
        self.outcome.is_some() && (self.last_failure.is_some() || self.end_by_last_failure().is_some())
    }

    /// The history entry that records that it has ended as its device ended the attempt before: no other entry of the
    /// last attempt names a failure.
    pub(crate) fn end_by_last_failure(&self) -> Option<&HistoryEntry> {
        let last = self.history.last().filter(|last| last.attempt == self.attempt)?;
        AttemptFailure::parse(&last.event).filter(|failure| !failure.is_provisional()).map(|_| last)
    }

    /// The verdict `change` for a row whose shadow is known not to contain its request any more. None if more is left to
    /// do after it than one clean-up of the shadow.
    ///
    /// So the shadow may be cleaned up before the verdict is written: its request leaves it sooner, and a write is
    /// saved.
    pub fn last_verdict(&self, change: &Change, now: Timestamp) -> Option<Change> {
        let Effect::CloudVerdict(verdict) = change.effect else { return None };
        let ended = self.apply(change)?;
        let is_last = ended.shadow_cleanup_pending && !ended.in_lane && ended.next_cleanup_at(now).is_none();
        is_last.then(|| Change { effect: Effect::LastVerdict(verdict), due: DueEntry::Remove, ..change.clone() })
    }

    /// Ends it with this verdict.
    pub(crate) fn give_up(&self, verdict: Verdict, now: Timestamp, actor: Actor) -> Change {
        self.provisional_verdict(verdict, Rank::TimedOut, self.due_after_end(now, false), actor)
    }

    pub(crate) fn provisional_verdict(&self, verdict: Verdict, rank: Rank, due: DueEntry, actor: Actor) -> Change {
        let event = verdict.reason.to_string();
        Change {
            key: self.key.clone(),
            condition: Condition::Unchanged(self.snapshot()),
            progress: Progress::new(self.attempt, rank, 0),
            status: verdict.reason.status(),
            // A broadcast is stored as sent before its message is; here it is known whether the message was sent.
            delivery_status: (self.channel == Channel::Broadcast).then_some(self.delivery_status),
            effect: Effect::CloudVerdict(verdict),
            due,
            history_entry: Some(HistoryEntry::new(verdict.at, self.attempt, event, actor)),
        }
    }
}
