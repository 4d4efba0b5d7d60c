//! The verdict: how the cloud ends an execution provisionally, after a deadline or a cancel.

use crate::actor::Actor;
use crate::execution::change::{Change, Condition, DueEntry, Effect};
use crate::execution::channel::Channel;
use crate::execution::history::HistoryEntry;
use crate::execution::progress::{Progress, Rank};
use crate::execution::row::{Execution, Verdict};
use crate::timestamp::Timestamp;

impl Execution {
    /// Ends it after a deadline has passed.
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
