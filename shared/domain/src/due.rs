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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        Status,
        execution::tests::{BORN, execution, told},
    };

    fn extended(execution: &Execution, seconds: u32) -> Option<i64> {
        match execution.due(BORN.plus_seconds(seconds)) {
            Due::Extend { to, .. } => Some(to - BORN.as_seconds_rounded_up()),
            _ => None,
        }
    }

    #[test]
    fn what_has_not_begun_is_due_at_its_ttl_and_no_sooner() {
        let execution = execution(None);
        assert_eq!(execution.due_at, Some(1_700_000_061), "rounded up, so that it is not found before its time");
        assert_eq!(execution.due(BORN.plus_seconds(59)), Due::Nothing);
        let Due::Settle(change) = execution.due(BORN.plus_seconds(61)) else { panic!("not settled") };
        let settled = execution.apply(&change).unwrap();
        assert_eq!((settled.status, settled.due_at), (Status::TimedOut, None));
        assert_eq!(settled.due(BORN.plus_seconds(99)), Due::Nothing);
    }

    #[test]
    fn what_has_begun_is_looked_at_when_it_could_next_be_overdue() {
        let running = told(&execution(None), 5, "RUNNING").unwrap();
        assert_eq!(extended(&running, 61), Some(600));
        let beating = told(&execution(Some(30)), 5, "RUNNING").unwrap();
        assert_eq!(extended(&beating, 61), Some(95));
        assert!(matches!(beating.due(BORN.plus_seconds(95)), Due::Settle(_)));
    }

    #[test]
    fn what_has_ended_and_is_still_listed_is_cleared() {
        let done = Execution { due_at: Some(7), ..told(&execution(None), 5, "SUCCEEDED").unwrap() };
        assert_eq!(done.due(BORN), Due::Clear { key: done.key.clone(), from: 7 });
    }

    proptest! {
        #[test]
        fn every_execution_has_a_shard_and_none_is_left_out(id in "[a-z2-7]{26}") {
            prop_assert!(due_shard(&ExecutionId::parse(&id).unwrap()) < SHARDS);
        }

        #[test]
        fn whoever_keeps_looking_settles_it(begins in proptest::option::of(0..60u32), beat in proptest::option::of(20..200i64)) {
            let mut execution = execution(beat);
            if let Some(begins) = begins {
                execution = told(&execution, begins, "RUNNING").unwrap();
            }
            for _ in 0..4 {
                let Some(due_at) = execution.due_at else { break };
                let now = Timestamp::from_seconds(due_at);
                match execution.due(now) {
                    Due::Settle(change) => execution = execution.apply(&change).unwrap(),
                    Due::Extend { to, .. } => {
                        prop_assert!(to > due_at);
                        execution.due_at = Some(to);
                    }
                    other => prop_assert!(false, "{:?}", other),
                }
            }
            prop_assert_eq!(execution.status, Status::TimedOut);
        }
    }
}
