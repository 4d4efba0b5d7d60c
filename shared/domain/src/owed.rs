//! What is owed to an execution at a given time. The row itself says so, and stays in the index of what is due for as long as
//! it does: whoever has the row in hand does it, and the reconciler does what others left.
//!
//! A heartbeat does not move the entry in the index, since that would cost two writes each: it is moved on when it is popped.

use crate::{By, Change, Execution, ExecutionId, Timestamp, execution::NextStep};

/// The `due` index is spread over this many partitions, each read in order of time.
pub const SHARDS: u8 = 16;

/// The same of the table of commands, which holds far fewer items.
pub const FLEET_SHARDS: u8 = 4;

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
    /// Its turn may have come, and nobody has seen to it: enter its lane, which it may be in; at the head it goes out, else it
    /// waits ([`Execution::waits`]).
    Turn,
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
    /// When its request has to be withdrawn once more, in whole seconds: whoever sends it may put it into the shadow after it was
    /// withdrawn there, for as long as a sending takes. A device that has answered has it: then it was there.
    fn withdrawn_again_at(&self, now: Timestamp) -> Option<i64> {
        let sent = self.sent_at.filter(|_| self.withdraw && self.delivered_at.is_none())?;
        let until = sent.plus_seconds(crate::execution::SENDING);
        (now < until).then(|| until.as_seconds_rounded_up())
    }

    /// What is owed at this time.
    pub fn owed(&self, now: Timestamp) -> Owed {
        if self.is_terminal() {
            return match (self.withdraw, self.in_lane) {
                (false, false) if self.due_at.is_none() => Owed::Nothing,
                (false, false) => Owed::Change(Box::new(self.cleared())),
                (withdraw, leave) => match self.withdrawn_again_at(now) {
                    // It is out of the shadow, as far as anybody knows.
                    Some(again) if self.due_at == Some(again) => Owed::Nothing,
                    again => {
                        let then = again.map_or_else(|| self.cleared(), |again| self.looked_at(again));
                        Owed::Conclude { withdraw, leave, then: Box::new(then) }
                    }
                },
            };
        }
        if let Some(verdict) = self.overdue(now) {
            return Owed::Change(Box::new(self.give_up(verdict, now)));
        }
        if self.turn_at().is_some_and(|at| at <= now) {
            return Owed::Turn;
        }
        let next = self.next(now);
        match next.what {
            NextStep::Send if next.at <= now => Owed::Send,
            NextStep::Again(failure) if next.at <= now => {
                let by = By::function("reconcile-commands");
                Owed::Change(Box::new(self.again(failure, next.at, failure.as_str(), by)))
            }
            _ => match (self.looked_at_next(now).as_seconds_rounded_up(), self.due_at) {
                // Popped too early: it is looked at when it could next be overdue.
                (wanted, Some(due)) if due <= now.as_seconds() && wanted > due => {
                    Owed::Change(Box::new(self.looked_at(wanted)))
                }
                _ => Owed::Nothing,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        DueEntry, Status,
        execution::tests::{BORN, execution, told},
    };

    fn written(execution: &Execution, seconds: u32) -> Option<Change> {
        match execution.owed(BORN.plus_seconds(seconds)) {
            Owed::Change(change) => Some(*change),
            _ => None,
        }
    }

    /// When it is looked at again, in seconds after its creation, if that is what is owed.
    fn extended(execution: &Execution, seconds: u32) -> Option<i64> {
        match written(execution, seconds)? {
            change if change.moves() => None,
            Change { due: DueEntry::At(at), .. } => Some(at - BORN.as_seconds_rounded_up()),
            _ => None,
        }
    }

    #[test]
    fn what_has_not_begun_is_due_at_its_ttl_and_no_sooner() {
        let execution = execution(None);
        assert_eq!(execution.due_at, Some(1_700_000_061), "rounded up, so that it is not found before its time");
        assert_eq!(execution.owed(BORN.plus_seconds(59)), Owed::Nothing);
        let settled = execution.apply(&written(&execution, 61).unwrap()).unwrap();
        assert_eq!((settled.status, settled.due_at), (Status::TimedOut, None));
        assert_eq!(settled.owed(BORN.plus_seconds(99)), Owed::Nothing);
    }

    #[test]
    fn what_has_begun_is_looked_at_when_it_could_next_be_overdue() {
        let running = told(&execution(None), 5, "RUNNING").unwrap();
        assert_eq!(extended(&running, 61), Some(600));
        let beating = told(&execution(Some(10)), 5, "RUNNING").unwrap();
        assert_eq!(beating.due_at, Some(BORN.as_seconds_rounded_up() + 30), "it may begin at once and fall silent");
        assert_eq!(extended(&beating, 31), Some(35));
        assert!(written(&beating, 35).unwrap().is_terminal());
    }

    #[test]
    fn what_has_ended_and_is_still_listed_is_cleared() {
        let done = Execution { due_at: Some(7), ..told(&execution(None), 5, "SUCCEEDED").unwrap() };
        assert_eq!(done.apply(&written(&done, 9).unwrap()).unwrap().due_at, None);
    }

    #[test]
    fn what_is_left_to_do_after_its_end_stays_due_until_it_is_done() {
        let done = told(&execution(None), 5, "SUCCEEDED").unwrap();
        for (withdraw, in_lane) in [(true, false), (false, true), (true, true)] {
            let left = Execution { withdraw, in_lane, due_at: Some(7), ..done.clone() };
            let Owed::Conclude { withdraw: w, leave, then } = left.owed(BORN) else { panic!("nothing is owed") };
            assert_eq!((w, leave), (withdraw, in_lane));
            let cleared = left.apply(&then).unwrap();
            assert_eq!((cleared.withdraw, cleared.in_lane, cleared.due_at), (false, false, None));
            assert_eq!(cleared.owed(BORN), Owed::Nothing);
        }
    }

    #[test]
    fn what_may_still_be_put_into_a_shadow_is_withdrawn_again() {
        let by = crate::By::caller("operator");
        let command = crate::execution::tests::command(crate::Delivery::Shadow, None);
        let row = Execution::create(&command, &crate::execution::tests::thing(), crate::Via::of(&command, None), 60);
        let canceled = row.cancel(crate::Reason::CanceledByOperator, BORN, false, by).unwrap();
        let canceled = row.apply(&canceled).unwrap();
        let Owed::Conclude { withdraw: true, then, .. } = canceled.owed(BORN) else { panic!("nothing is owed") };
        let once = canceled.apply(&then).unwrap();
        assert_eq!((once.withdraw, once.due_at), (true, Some(BORN.plus_seconds(10).as_seconds_rounded_up())));
        assert_eq!(once.owed(BORN.plus_seconds(9)), Owed::Nothing);
        let Owed::Conclude { withdraw: true, then, .. } = once.owed(BORN.plus_seconds(10)) else { panic!("forgotten") };
        assert_eq!(once.apply(&then).unwrap().due_at, None);
    }

    proptest! {
        #[test]
        fn every_execution_has_a_shard_and_none_is_left_out(id in "[a-z2-7]{26}") {
            prop_assert!(due_shard(&ExecutionId::parse(&id).unwrap()) < SHARDS);
        }

        #[test]
        fn whoever_keeps_looking_settles_it(
            begins in proptest::option::of(0..60u32), beat in proptest::option::of(2..200i64),
        ) {
            let mut execution = execution(beat);
            if let Some(begins) = begins {
                execution = told(&execution, begins, "RUNNING").unwrap_or(execution);
            }
            for _ in 0..4 {
                let Some(due_at) = execution.due_at else { break };
                let now = Timestamp::from_seconds(due_at);
                match execution.owed(now) {
                    Owed::Change(change) => {
                        let next = execution.apply(&change).unwrap();
                        prop_assert!(next.due_at.is_none_or(|later| later > due_at));
                        execution = next;
                    }
                    other => prop_assert!(false, "{:?}", other),
                }
            }
            prop_assert_eq!(execution.status, Status::TimedOut);
        }
    }
}
