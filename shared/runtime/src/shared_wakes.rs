//! `SharedWakes`: which seconds of the due index have one message for all of their entries, as far as this process knows.
//! The executions of a batch are due together: one message for each second and shard does, instead of one for each.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{Timestamp, Wake};

/// An entry that is due sooner, in seconds, has a message of its own: the receiver of a shared one finds it through the
/// due index, in which it may be missing for a moment.
const MIN_AHEAD_SECONDS: i64 = 10;

/// The seconds with messages, by time and shard. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedWakes(Arc<Mutex<BTreeMap<(i64, u8), Sent>>>);

/// The messages of a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    /// One for one entry.
    One,
    /// One for all entries.
    Shared,
}

impl SharedWakes {
    /// The message to send for the entry of an execution's wake in this shard: its own for the first one of a second, one
    /// for all of them for the second one, and none afterwards.
    pub fn next(&self, wake: Wake, shard: u8, now: Timestamp) -> Option<Wake> {
        let due = match &wake {
            // A later look at an entry is for that one alone.
            Wake::Execution { due, at, .. } if due == at && *due >= now.as_seconds() + MIN_AHEAD_SECONDS => *due,
            _ => return Some(wake),
        };
        let mut seconds = self.locked();
        while seconds.first_key_value().is_some_and(|((due, _), _)| *due < now.as_seconds()) {
            seconds.pop_first();
        }
        match seconds.get(&(due, shard)) {
            None => {
                seconds.insert((due, shard), Sent::One);
                Some(wake)
            }
            Some(Sent::One) => {
                seconds.insert((due, shard), Sent::Shared);
                Some(Wake::Second { shard, at: due })
            }
            Some(Sent::Shared) => None,
        }
    }

    /// Forgets a message that could not be sent: the next entry of its second sends another one.
    pub fn forget(&self, wake: &Wake) {
        if let Wake::Second { shard, at } = wake {
            self.locked().insert((*at, *shard), Sent::One);
        }
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<(i64, u8), Sent>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use domain::{ExecutionId, Key, ThingName};

    use super::*;

    const NOW: i64 = 1_700_000_000;

    fn wake(due: i64, at: i64) -> Wake {
        let id = ExecutionId::parse("aaaaaaaaaaaaaaaaaaaaaaaaaa").unwrap();
        Wake::Execution { key: Key { thing: ThingName::parse("pump-7").unwrap(), id }, due: NOW + due, at: NOW + at }
    }

    fn next(wakes: &SharedWakes, due: i64, shard: u8) -> Option<Wake> {
        wakes.next(wake(due, due), shard, Timestamp::from_seconds(NOW))
    }

    #[test]
    fn second_entry_of_a_second_has_a_message_for_all_and_later_ones_have_none() {
        let wakes = SharedWakes::default();
        let all = |shard| Some(Wake::Second { shard, at: NOW + 60 });
        let sent: Vec<_> = (0..4).map(|_| next(&wakes.clone(), 60, 7)).collect();
        assert_eq!(sent, [Some(wake(60, 60)), all(7), None, None]);
        assert_eq!([next(&wakes, 60, 8), next(&wakes, 61, 7)], [Some(wake(60, 60)), Some(wake(61, 61))]);
        wakes.forget(&all(7).unwrap());
        assert_eq!([next(&wakes, 60, 7), next(&wakes, 60, 7)], [all(7), None], "that of before was not sent");
    }

    #[test]
    fn entry_that_is_due_soon_and_a_later_look_have_their_own() {
        let wakes = SharedWakes::default();
        for _ in 0..3 {
            assert_eq!(next(&wakes, 9, 7), Some(wake(9, 9)));
            assert_eq!(wakes.next(wake(60, 70), 7, Timestamp::from_seconds(NOW)), Some(wake(60, 70)));
        }
    }

    #[test]
    fn seconds_that_are_over_are_forgotten() {
        let wakes = SharedWakes::default();
        (0..100).for_each(|due| drop(next(&wakes, 10 + due, 7)));
        drop(wakes.next(wake(200, 200), 7, Timestamp::from_seconds(NOW + 100)));
        assert_eq!(wakes.locked().len(), 11);
    }
}
