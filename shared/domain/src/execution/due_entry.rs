//! The due entry of a row: changes that move or remove only it, and the entry that another change needs.
//!
//! Moving an entry costs two write units. So an entry that is due too early stays, and is moved when the reconciler
//! finds it; a heartbeat never moves it.

use crate::execution::change::{Change, Condition, DueEntry, Effect};
use crate::execution::row::Execution;
use crate::timestamp::Timestamp;

impl Execution {
    /// Records that the shadow is cleaned up and the lane is left.
    pub(crate) fn cleaned_up(&self) -> Change {
        Change { effect: Effect::CleanedUp, due: DueEntry::Remove, ..self.bookkeeping() }
    }

    /// Moves an overdue entry to `now`, behind the entries that are due before, since its row could not be processed.
    pub fn postpone_due(&self, now: Timestamp) -> Option<Change> {
        self.due_at.filter(|due| *due < now.as_seconds()).map(|_| self.due_at_seconds(now.as_seconds()))
    }

    /// Moves the entry to the heartbeat deadline, where that comes before it.
    pub fn earlier_due(&self) -> Option<Change> {
        let silent = self.heartbeat_deadline.filter(|_| !self.is_terminal())?.as_seconds_rounded_up();
        self.due_at.filter(|due| *due > silent).map(|_| self.due_at_seconds(silent))
    }

    /// Moves the entry to the end of the ttl: it waits in its lane, and the function that ends the execution before
    /// it sends it.
    pub fn wait_in_lane(&self) -> Change {
        let due = DueEntry::At(self.start_by.as_seconds_rounded_up());
        Change { effect: Effect::WaitsInLane, due, ..self.bookkeeping() }
    }

    /// Moves the entry to this time, in seconds since 1970.
    pub(crate) fn due_at_seconds(&self, at: i64) -> Change {
        self.due_at_change(DueEntry::At(at))
    }

    /// A change of nothing but the entry.
    pub(crate) fn due_at_change(&self, due: DueEntry) -> Change {
        Change { due, ..self.bookkeeping() }
    }

    /// A change that leaves the state as it is.
    pub(crate) fn bookkeeping(&self) -> Change {
        Change {
            key: self.key.clone(),
            condition: Condition::Unchanged(self.snapshot()),
            progress: self.progress,
            status: self.status,
            delivery_status: None,
            effect: Effect::Nothing,
            due: DueEntry::Keep,
            history_entry: None,
        }
    }

    /// The entry after the end: due now while a shadow has to be cleaned up or a lane left, else none.
    pub(crate) fn due_after_end(&self, now: Timestamp, shadow_cleaned: bool) -> DueEntry {
        match (self.in_lane, self.shadow_cleanup_pending && !shadow_cleaned) {
            (true, _) | (_, true) => DueEntry::At(now.as_seconds()),
            (false, false) => DueEntry::Remove,
        }
    }

    /// The entry after a change that does not end the execution: moved only where it would come too late, or is due
    /// already.
    pub(crate) fn due_after(&self, change: &Change, now: Timestamp) -> DueEntry {
        let Some(after) = self.apply(change) else { return DueEntry::Keep };
        let wanted = after.next_due_at(now).as_seconds_rounded_up();
        match self.due_at {
            Some(due) if due <= wanted && due > now.as_seconds() => DueEntry::Keep,
            _ => DueEntry::At(wanted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::command::delivery::Delivery;
    use crate::execution::fixtures::{CREATED_AT, after_report, create};
    use crate::status::Status;

    #[test]
    fn late_start_moves_the_entry_to_the_heartbeat_deadline() {
        let row = create(Delivery::Direct, Some(5));
        let waited = Execution { due_at: Some(row.start_by.as_seconds_rounded_up()), ..row.clone() };
        let running = after_report(&waited, 20, "RUNNING").unwrap();
        let sooner = running.apply(&running.earlier_due().unwrap()).unwrap();
        assert_eq!(sooner.due_at, Some(CREATED_AT.plus_seconds(35).as_seconds_rounded_up()));
        assert_eq!(sooner.earlier_due(), None);
        assert_eq!(after_report(&row, 1, "RUNNING").unwrap().earlier_due(), None, "it is due by then");
    }

    #[test]
    fn failed_processing_moves_the_entry_behind_the_others() {
        let row = create(Delivery::Direct, None);
        assert_eq!(row.postpone_due(CREATED_AT), None, "it is not due");
        let now = CREATED_AT.plus_seconds(90);
        let later = row.apply(&row.postpone_due(now).unwrap()).unwrap();
        assert_eq!((later.due_at, later.status), (Some(now.as_seconds()), Status::Created));
        assert_eq!(later.postpone_due(now), None);
    }
}
