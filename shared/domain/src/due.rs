//! What is owed when an execution's time has come.
//!
//! A row is in the `due` index only while something is owed. A heartbeat does not move its entry, since that would cost two
//! writes each: the entry is moved on when it is popped.

use crate::{Change, Execution, ExecutionId, Key, Timestamp};

/// The `due` index is spread over this many partitions, each read in order of time.
pub const SHARDS: u8 = 16;

/// The partition of the `due` index that an execution is in.
pub fn due_shard(id: &ExecutionId) -> u8 {
    // An id is the base 32 of a hash, so its first character is as good as random.
    id.as_str().bytes().next().unwrap_or(0) % SHARDS
}

/// What to do about a row that was found due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// Its deadline has passed: give it up.
    Settle(Box<Change>),
    /// It has come further since, and is due later.
    Extend {
        /// Which.
        key: Key,
        /// Only if it is still due then.
        from: i64,
        /// When it becomes due, in seconds.
        to: i64,
    },
    /// It has ended, and is owed nothing.
    Clear {
        /// Which.
        key: Key,
        /// Only if it is still due then.
        from: i64,
    },
    /// Nothing: someone else was faster, or the index lags.
    Nothing,
}

impl Execution {
    /// What is owed at this time.
    pub fn due(&self, now: Timestamp) -> Due {
        let Some(from) = self.due_at else { return Due::Nothing };
        if self.is_terminal() {
            return Due::Clear { key: self.key.clone(), from };
        }
        if let Some(verdict) = self.overdue(now) {
            return Due::Settle(Box::new(self.give_up(verdict)));
        }
        match self.next_deadline().at.as_seconds_rounded_up() {
            to if to > from => Due::Extend { key: self.key.clone(), from, to },
            _ => Due::Nothing,
        }
    }
}
