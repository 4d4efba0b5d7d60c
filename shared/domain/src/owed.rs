//! What is owed to an execution at a given time. The row itself says so, and stays in the index of what is due for as long as
//! it does: whoever has the row in hand does it, and the reconciler does what others left.
//!
//! A heartbeat does not move the entry in the index, since that would cost two writes each: it is moved on when it is popped.

use crate::{By, Change, Execution, ExecutionId, Timestamp, execution::NextStep};

/// The `due` index is spread over this many partitions, each read in order of time.
pub const SHARDS: u8 = 16;

/// The partition of the `due` index that an execution is in.
pub fn due_shard(id: &ExecutionId) -> u8 {
    // An id is the base 32 of a hash, so its first character is as good as random.
    id.as_str().bytes().next().unwrap_or(0) % SHARDS
}

/// What to do about a row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Owed {
    /// Nothing now.
    Nothing,
    /// This is written: a verdict, another attempt, a later look.
    Change(Box<Change>),
    /// Its time has come to go out: claim it, then send it.
    Send,
    /// It has ended, and something is left to do, in this order; then this is written.
    Conclude {
        /// Its request is removed from its shadow.
        withdraw: bool,
        /// It leaves its lane, and whoever is next goes out.
        leave: bool,
        /// That it is done.
        then: Box<Change>,
    },
}

impl Execution {
    /// What is owed at this time.
    pub fn owed(&self, now: Timestamp) -> Owed {
        if self.is_terminal() {
            return match (self.withdraw, self.in_lane) {
                (false, false) if self.due_at.is_none() => Owed::Nothing,
                (false, false) => Owed::Change(Box::new(self.cleared())),
                (withdraw, leave) => Owed::Conclude { withdraw, leave, then: Box::new(self.cleared()) },
            };
        }
        if let Some(verdict) = self.overdue(now) {
            return Owed::Change(Box::new(self.give_up(verdict, now)));
        }
        let next = self.next(now);
        match next.what {
            NextStep::Send if next.at <= now => Owed::Send,
            NextStep::Again(failure) if next.at <= now => {
                let by = By::function("reconcile-commands");
                Owed::Change(Box::new(self.again(failure, next.at, failure.as_str(), by)))
            }
            _ => match (next.at.as_seconds_rounded_up(), self.due_at) {
                // Popped too early: it is looked at when it could next be overdue.
                (wanted, Some(due)) if due <= now.as_seconds() && wanted > due => {
                    Owed::Change(Box::new(self.looked_at(wanted)))
                }
                _ => Owed::Nothing,
            },
        }
    }
}
