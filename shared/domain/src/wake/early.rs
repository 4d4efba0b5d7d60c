//! Which entries of a shard need work before their time: where more of them come at one time than can be worked off,
//! requests would stay in their shadows after their ttl. So the work on these begins earlier.
//!
//! Each tick of the schedule looks at the entries of the next minutes. It works backward from the last one: each takes
//! its share of a second, and has to be done before the next one begins. Within a second, entries are ordered by a hash
//! of their ids. So a tick finds the entries that are left where the tick before has put them, however many have been
//! worked off meanwhile.

use std::ops::RangeInclusive;

use sha2::{Digest, Sha256};

use crate::execution::due_index::DueShards;
use crate::ids::ExecutionId;
use crate::timestamp::Timestamp;

/// How long the work on an entry is counted on to take in its shard, in milliseconds: that is 160 a second in the 64
/// shards of the template, which make 320 calls of the shadow service, of the 4,000 that an account has in a large region,
/// and some 500 write units, of the 4,000 that a new table takes. Requests are sent at the same time, and need the most
/// of both. The local stack on two cores works off about 190 a second.
const WORK_MS: i64 = 400;

/// How much earlier than its time the work on an entry begins at most, in seconds. Of more than 52,000 entries of one
/// second, all that would begin earlier begin then.
pub const MAX_EARLY_SECONDS: i64 = 330;

/// How long after its time the work on an entry may end, in seconds: less than a ttl is cut short by in a shadow.
const SLACK_SECONDS: i64 = 2;

/// The entries of one message: five seconds of work.
const PER_MESSAGE: i64 = 12;

/// An entry of a shard. Entries are worked off in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry {
    /// When it is due, in seconds since 1970.
    pub due: i64,
    /// Its place among those of the same second.
    pub place: u16,
}

/// Some entries of a shard, which need work before their time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarlyStart {
    /// The first and the last of them.
    pub entries: RangeInclusive<Entry>,
    /// When the work on them begins.
    pub at: Timestamp,
}

/// How many entries of one second can be worked off at their time.
pub fn can_end_together(shards: DueShards) -> u64 {
    u64::from(shards.number()) * (SLACK_SECONDS * 1000 / WORK_MS).unsigned_abs()
}

/// The place of an execution among those that are due in the same second, with the same chance anywhere.
pub fn place_of(id: &ExecutionId) -> u16 {
    let digest = Sha256::digest(id.as_str());
    // Its first eight bytes say in which shard it is.
    u16::from_be_bytes([digest[8], digest[9]])
}

/// The work that has to begin before its time, and by `until`: in groups of entries, the earliest first. Where it should
/// have begun already, it begins at `now`, at twice the pace: all at once would slow down what is sent beside it.
/// `expected`: when entries will be due that are not there yet, in order. They take their time as well.
pub fn early_starts(mut entries: Vec<Entry>, expected: &[i64], now: Timestamp, until: Timestamp) -> Vec<EarlyStart> {
    entries.sort_unstable();
    let mut expected = expected.iter().rev().peekable();
    let mut starts: Vec<EarlyStart> = Vec::new();
    // When the work on the entry before has to be done.
    let mut next_ms = i64::MAX;
    let mut group: Vec<(Entry, i64)> = Vec::new();
    for entry in entries.into_iter().rev() {
        while let Some(due) = expected.next_if(|due| **due >= entry.due) {
            next_ms = next_ms.min((due + SLACK_SECONDS) * 1000) - WORK_MS;
        }
        next_ms = next_ms.min((entry.due + SLACK_SECONDS) * 1000) - WORK_MS;
        let is_next = group.first().is_none_or(|(_, last_ms)| last_ms - next_ms < PER_MESSAGE * WORK_MS);
        if !is_next {
            starts.extend(early_start(&group));
            group.clear();
        }
        group.push((entry, next_ms));
    }
    starts.extend(early_start(&group));
    starts.reverse();
    let mut free_ms = now.as_millis();
    for start in &mut starts {
        let at_ms = start.at.as_millis().max(free_ms);
        start.at = Timestamp::from_millis(at_ms);
        if at_ms == free_ms {
            free_ms += PER_MESSAGE * WORK_MS / 2;
        }
    }
    starts.retain(|start| start.at <= until);
    starts
}

/// The start of a group of entries, the last one first, each with the time at which its work begins.
fn early_start(group: &[(Entry, i64)]) -> Option<EarlyStart> {
    let (&(last, _), &(first, begins_ms)) = (group.first()?, group.last()?);
    let earliest_ms = (first.due - MAX_EARLY_SECONDS) * 1000;
    // A message comes up to a second after its time.
    let at = Timestamp::from_seconds(begins_ms.max(earliest_ms).div_euclid(1000));
    let is_early = group.iter().any(|(entry, begins_ms)| *begins_ms < entry.due * 1000);
    is_early.then_some(EarlyStart { entries: first..=last, at })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_700_000_040;

    fn now() -> Timestamp {
        Timestamp::from_seconds(NOW)
    }

    fn until() -> Timestamp {
        now().plus_seconds(10_000)
    }

    /// This many entries in each of these seconds after now.
    fn entries(numbers: &BTreeMap<i64, usize>) -> Vec<Entry> {
        let of_second = |(&second, &number): (&i64, &usize)| {
            (0..number).map(move |n| Entry { due: NOW + second, place: (n * 65_535 / number) as u16 })
        };
        numbers.iter().flat_map(of_second).collect()
    }

    /// When the work on each entry begins, in milliseconds after now: early, or at its time.
    fn begins(entries: &[Entry], starts: &[EarlyStart]) -> Vec<i64> {
        let begin = |entry: &Entry| {
            let early = starts.iter().find(|start| start.entries.contains(entry));
            early.map_or(entry.due * 1000, |start| start.at.as_millis()) - NOW * 1000
        };
        entries.iter().map(begin).collect()
    }

    proptest! {
        /// Worked off at the pace that is counted on, from when the work on each begins, in this order: each ends in
        /// time.
        #[test]
        fn each_entry_is_worked_off_in_time(
            numbers in prop::collection::btree_map(300..350_i64, 1..40_usize, 1..20),
        ) {
            let entries = entries(&numbers);
            let starts = early_starts(entries.clone(), &[], now(), until());
            let mut begins: Vec<_> = begins(&entries, &starts).into_iter().zip(&entries).collect();
            begins.sort();
            let mut done_ms = 0;
            for (begins_ms, entry) in begins {
                done_ms = done_ms.max(begins_ms) + WORK_MS;
                let late_ms = done_ms - (entry.due - NOW) * 1000;
                prop_assert!(late_ms <= SLACK_SECONDS * 1000, "{entry:?} is done {late_ms} ms after its time");
            }
        }

        /// What has been worked off does not move what is left.
        #[test]
        fn next_tick_finds_what_is_left_where_the_tick_before_has_put_it(number in 200..400_usize, done in 0..10_usize) {
            let all = entries(&BTreeMap::from([(170, number)]));
            let begins_before = begins(&all, &early_starts(all.clone(), &[], now(), until()));
            let left = &all[done * PER_MESSAGE as usize..];
            let begins_after = begins(left, &early_starts(left.to_vec(), &[], now(), until()));
            let before = &begins_before[all.len() - left.len()..];
            prop_assert!(before.iter().zip(&begins_after).all(|(before, after)| (before - after).abs() < 6_000));
        }
    }

    #[test]
    fn what_can_be_done_at_its_time_is_not_early() {
        let few = (SLACK_SECONDS * 1000 / WORK_MS) as usize;
        assert_eq!(early_starts(entries(&BTreeMap::from([(100, few), (103, few)])), &[], now(), until()), []);
        assert_eq!(early_starts(entries(&BTreeMap::from([(100, few + 1)])), &[], now(), until()).len(), 1);
        assert_eq!(early_starts(Vec::new(), &[], now(), until()), []);
    }

    #[test]
    fn three_hundred_of_one_second_begin_two_minutes_early_and_a_few_in_each_message() {
        let all = entries(&BTreeMap::from([(150, 300)]));
        let starts = early_starts(all.clone(), &[], now(), until());
        assert_eq!(starts[0].at, now().plus_seconds(32), "150 + 2 - 300 * 0.4");
        assert_eq!((starts.len(), *starts[0].entries.start()), (25, all[0]));
        assert!(starts.windows(2).all(|two| two[0].at < two[1].at && two[0].entries.end() < two[1].entries.start()));
        assert_eq!(starts[24].entries, all[288]..=all[299], "the last ones begin with their group");
    }

    #[test]
    fn late_tick_begins_at_once_at_twice_the_pace_and_leaves_what_begins_after_its_minutes() {
        let all = entries(&BTreeMap::from([(60, 250)]));
        let starts = early_starts(all.clone(), &[], now(), until());
        assert_eq!(starts[0].at, now());
        let gaps: Vec<_> = starts.windows(2).map(|two| two[1].at.as_millis() - two[0].at.as_millis()).collect();
        // It is 38 seconds late, and gains half of 4.8 seconds with each message.
        let fast = gaps.iter().take_while(|gap| **gap == 2_400).count();
        assert!((14..=16).contains(&fast), "{gaps:?}");
        assert!(gaps[fast + 1..].iter().all(|gap| (4_000..=5_000).contains(gap)), "{gaps:?}");
        assert_eq!(starts[20].at, now().plus_seconds(57), "in time");
        let soon = early_starts(all, &[], now(), now().plus_seconds(10));
        assert!(soon.len() < starts.len() && soon.iter().all(|start| start.at <= now().plus_seconds(10)));
    }

    #[test]
    fn what_is_not_there_yet_takes_its_time_too() {
        let there = entries(&BTreeMap::from([(100, 100)]));
        let begins = |expected: &[i64]| early_starts(there.clone(), expected, now(), until())[0].at;
        assert_eq!(begins(&[]), now().plus_seconds(62), "100 + 2 - 100 * 0.4");
        let later: Vec<_> = (0..90).map(|n| NOW + 101 + n / 6).collect();
        assert_eq!(begins(&later), now().plus_seconds(41), "90 of them, in 15 of the 36 seconds that they take");
        assert_eq!(begins(&[NOW + 99]), begins(&[]), "what is due before them comes before them");
        assert_eq!(early_starts(Vec::new(), &later, now(), until()), []);
    }

    #[test]
    fn no_work_begins_earlier_than_five_and_a_half_minutes_before_its_time() {
        let all = entries(&BTreeMap::from([(400, 5_000)]));
        let starts = early_starts(all, &[], now(), until());
        assert_eq!(starts[0].at, now().plus_seconds(70));
    }

    #[test]
    fn places_are_spread_evenly() {
        let of =
            |n: u32| place_of(&ExecutionId::parse(&format!("{n:a>26}").replace(['0', '1', '8', '9'], "b")).unwrap());
        let lower = (0..1000).filter(|n| of(*n) < 32_768).count();
        assert!((300..700).contains(&lower), "{lower}");
    }
}
